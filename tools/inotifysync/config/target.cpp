// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/target.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>

namespace inotifysync {
namespace {

using notify_core::Error;
using notify_core::Result;

Error fault(std::string_view operand, std::string detail) {
  return {0, "", std::string(operand), std::move(detail)};
}

std::string_view trimmed(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path;
}

// Takes "[user@]" off the front.
void take_user(Target& target, std::string_view& rest) {
  const std::size_t at = rest.rfind('@');
  if (at == std::string_view::npos) return;
  target.user = rest.substr(0, at);
  rest.remove_prefix(at + 1);
}

// A host, an IPv6 address in brackets kept with them.
bool set_host(Target& target, std::string_view host) {
  target.host = host;
  const bool opens = !host.empty() && host.front() == '[';
  const bool closes = !host.empty() && host.back() == ']';
  return !host.empty() && host.front() != '-' && opens == closes && host != "[]";
}

Result<Target> module_and_path(Target target, std::string_view rest) {
  const std::size_t slash = rest.find('/');
  target.module = rest.substr(0, slash);
  if (slash != std::string_view::npos) target.path = trimmed(rest.substr(slash));
  if (target.module.empty())
    return fault(target.operand, "no module is named: write HOST::MODULE or rsync://HOST/MODULE");
  target.name = target.host + "/" + target.module;
  if (!target.path.empty()) target.name += "/" + target.path;
  return target;
}

Result<Target> parse_url(Target target, std::string_view rest) {
  target.kind = Target::Kind::daemon;
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  take_user(target, authority);
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const std::string_view port = authority.substr(colon + 1);
    const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (problem != std::errc{} || end != port.data() + port.size() || target.port < 1 ||
        target.port > 65535) {
      return fault(target.operand, "the port must be a number from 1 to 65535");
    }
    authority = authority.substr(0, colon);
  }
  if (!set_host(target, authority)) return fault(target.operand, "no host is named");
  return module_and_path(std::move(target), slash == std::string_view::npos ? "" : rest.substr(slash + 1));
}

// The ':' that ends the host; npos: a local path. A '/' before it, or none at all, makes it local, as in
// rsync.
std::size_t host_end(std::string_view operand) {
  const std::size_t slash = operand.find('/');
  std::size_t from = 0;
  const std::size_t open = operand.find('[');
  if (open != std::string_view::npos && (open == 0 || operand[open - 1] == '@'))
    from = operand.find(']', open);
  if (from == std::string_view::npos) return from;
  const std::size_t colon = operand.find(':', from);
  return colon > slash ? std::string_view::npos : colon;
}

std::string last_part(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return std::string(path.size() > 1 ? path.substr(path.rfind('/') + 1) : path);
}

std::string slashed(std::string path) {
  if (path.empty() || path.back() != '/') path += '/';
  return path;
}

// Without what says nothing: "//", "/./" and a '/' at the end.
std::string plain_path(std::string_view path) {
  std::string plain = path.starts_with('/') ? "/" : "";
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (!plain.empty() && plain.back() != '/') plain += '/';
    plain += name;
  }
  return plain;
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// The port may also be one of rsync's options.
bool has_port_option(const Target& target) {
  return std::any_of(target.rsync_options.begin(), target.rsync_options.end(),
                     [](const std::string& option) { return option.starts_with("--port"); });
}

// Equal for two targets that are one place. Who asks is of no account, unless the path begins at his home.
std::string place_of(const Target& target) {
  constexpr int usual_port = 873;
  const std::string host = lower_case(target.host), path = plain_path(target.path);
  switch (target.kind) {
    case Target::Kind::local:
      return path;
    case Target::Kind::ssh:
      return target.ssh + '\0' + (path.starts_with('/') ? "" : target.user + "@") + host + ":" + path;
    case Target::Kind::daemon:
      break;
  }
  const int port = target.port == 0 ? usual_port : target.port;
  return host + ":" + std::to_string(port) + "::" + target.module + "/" + path;
}

bool same_place(const Target& one, const Target& other) {
  if (one.kind != other.kind || place_of(one) != place_of(other)) return false;
  return one.rsync_options == other.rsync_options || (!has_port_option(one) && !has_port_option(other));
}

bool inside(std::string_view path, std::string_view directory) {
  while (!directory.empty() && directory.back() == '/') directory.remove_suffix(1);
  return path.substr(0, directory.size()) == directory &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

std::string Target::destination(std::string_view below) const {
  std::string where;
  const std::string who = user.empty() ? host : user + "@" + host;
  switch (kind) {
    case Kind::local:
      // Neither an option nor a host to rsync.
      where = slashed(path.front() == '/' ? path : "./" + path);
      break;
    case Kind::ssh:
      where = who + ":" + slashed(path.empty() ? "." : path);
      break;
    case Kind::daemon:
      where = "rsync://" + who + (port ? ":" + std::to_string(port) : "") + "/" + module + "/";
      // "./" keeps a name that starts with '-' from being an option to the daemon.
      if (!path.empty()) where += (path.front() == '-' ? "./" : "") + path + "/";
      break;
  }
  if (below.empty()) return where;
  return where + (below.front() == '-' ? "./" : "") + std::string(below) + "/";
}

Result<Target> parse_target(std::string_view operand) {
  Target target;
  target.operand = operand;
  if (operand.empty()) return fault(operand, "the target is empty");
  if (operand.find('\0') != std::string_view::npos) return fault(operand, "a NUL byte in the target");
  constexpr std::string_view scheme = "rsync://";
  if (operand.substr(0, scheme.size()) == scheme)
    return parse_url(std::move(target), operand.substr(scheme.size()));

  const std::size_t colon = host_end(operand);
  if (colon == std::string_view::npos) {
    target.path = operand;
    target.name = last_part(operand);
    return target;
  }
  std::string_view host = operand.substr(0, colon);
  take_user(target, host);
  if (!set_host(target, host))
    return fault(operand, "no host before ':'; for a local directory write ./" + std::string(operand));
  const std::string_view rest = operand.substr(colon + 1);
  if (!rest.empty() && rest.front() == ':') {
    target.kind = Target::Kind::daemon;
    return module_and_path(std::move(target), rest.substr(1));
  }
  target.kind = Target::Kind::ssh;
  target.path = rest;
  target.name = target.host;
  return target;
}

std::string password_file_fault(mode_t mode, uid_t owner, uid_t we) {
  if (!S_ISREG(mode)) return "is not a regular file";
  if (mode & (S_IRWXG | S_IRWXO)) return "can be read or written by others; chmod 600 it";
  if (owner != we && owner != 0) return "belongs to another user; rsync would refuse it";
  return {};
}

std::string config_file_fault(mode_t mode, uid_t owner, gid_t group, uid_t we, gid_t our_group) {
  if (owner != we && owner != 0) return "belongs to another user, who could have any program run by it";
  const bool others_group = group != 0 && group != our_group;
  if ((mode & S_IWOTH) != 0 || ((mode & S_IWGRP) != 0 && others_group))
    return "can be written by others; chmod go-w it";
  return {};
}

const Target* find_same_place(const Target& target, const std::vector<Target>& others) {
  const auto found = std::find_if(others.begin(), others.end(),
                                  [&](const Target& other) { return same_place(other, target); });
  return found == others.end() ? nullptr : &*found;
}

std::string target_fault(std::string_view source, const Target& target, const std::vector<Target>& others) {
  if (const Target* same = find_same_place(target, others))
    return "is the same place as '" + same->operand + "', a target of this source already";
  const auto namesake = [&target](const Target& other) { return other.name == target.name; };
  if (std::any_of(others.begin(), others.end(), namesake)) {
    return "has the name '" + target.name + "' of another target; give it a 'name' of its own";
  }
  if (target.kind != Target::Kind::local) return {};
  if (inside(target.path, source)) return "lies inside its source";
  if (inside(source, target.path)) return "holds its own source";
  return {};
}

}  // namespace inotifysync
