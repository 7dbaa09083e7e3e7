// SPDX-License-Identifier: GPL-2.0-or-later
#include "reader.hpp"

#include <utility>

namespace interleaving {

using namespace notify_core;

namespace {

// The first part of `rest`, which is cut off.
std::string first_part(std::string_view& rest) {
  const std::size_t end = rest.find('/');
  const std::string part(rest.substr(0, end));
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

}  // namespace

// Null where the reader does not know the directory, and `make` does not say to assume it.
Reader::Known* Reader::parent_of(const std::string& path, std::string& name, bool make) {
  std::string_view rest = path;
  Known* node = &top_;
  first_part(rest);
  for (;;) {
    name = first_part(rest);
    if (rest.empty()) return node;
    std::unique_ptr<Known>& below = node->below[name];
    if (!below || !below->directory) {
      if (!make && !node->opaque) {
        if (!below) node->below.erase(name);
        return nullptr;
      }
      below.reset(new Known{true, true, false});
    }
    node = below.get();
  }
}

void Reader::start(const Listing& listing) {
  for (const auto& [path, directory] : listing) {
    std::string name;
    parent_of(path, name, true)->below[name].reset(new Known{directory});
  }
}

void Reader::read(EventMask mask, std::uint32_t cookie, const std::string& path) {
  std::string name;
  Known* parent = parent_of(path, name, false);
  const bool directory = (mask & mask::is_directory) != 0;
  if (parent == nullptr) {
    if ((mask & (mask::create | mask::moved_to)) == 0) {
      moving_[cookie] = nullptr;
      return;
    }
    faults_.push_back("in a directory nobody spoke of: " + path);
    parent = parent_of(path, name, true);
  }
  std::unique_ptr<Known>& entry = parent->below[name];
  if (mask & mask::create) {
    if (entry && entry->certain) faults_.push_back("created where something is: " + path);
    entry.reset(new Known{directory});
    return;
  }
  if (mask & mask::moved_to) {
    const auto moved = moving_.find(cookie);
    const bool known = moved != moving_.end() && moved->second;
    std::unique_ptr<Known> arrived(known ? moved->second.release()
                                         : new Known{directory, directory && !inside_});
    entry = std::move(arrived);
    if (moved != moving_.end()) moving_.erase(moved);
    return;
  }
  if (mask & mask::moved_from) moving_[cookie] = std::move(entry);
  parent->below.erase(name);
}

void Reader::compare(const Known& node, const std::string& path, const Listing& listing,
                     std::set<std::string>& said) {
  for (const auto& [name, child] : node.below) {
    const std::string full = path + "/" + name;
    said.insert(full);
    const auto there = listing.find(full);
    if (there == listing.end()) {
      if (child->certain) faults_.push_back("reported, but not there: " + full);
    } else if (there->second != child->directory) {
      if (child->certain) faults_.push_back("reported as something else: " + full);
    } else if (child->directory) {
      compare(*child, full, listing, said);
    }
  }
}

// Within a directory that was moved in.
bool Reader::may_hide(const std::string& path) const {
  std::string_view rest = path;
  const Known* node = &top_;
  for (first_part(rest);;) {
    const std::string name = first_part(rest);
    const auto below = node->below.find(name);
    if (rest.empty() || below == node->below.end()) return node->opaque;
    node = below->second.get();
  }
}

std::vector<std::string> Reader::faults(const Listing& listing) {
  std::set<std::string> said;
  compare(top_, "t", listing, said);
  for (const auto& [path, directory] : listing) {
    if (!said.contains(path) && !may_hide(path)) faults_.push_back("there, but never reported: " + path);
  }
  return std::exchange(faults_, {});
}

}  // namespace interleaving
