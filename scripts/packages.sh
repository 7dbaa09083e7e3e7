# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by the other scripts: which Debian packages the work needs, and how they come onto the machine.

# Debian's meson, python3 and pytest, whatever else (pyenv, a virtual environment) comes first in PATH.
export PATH=/usr/bin:/bin:$PATH

# shellcheck disable=SC2034
packages_to_build=(g++ meson ninja-build pkgconf libfmt-dev libcxxopts-dev libtomlplusplus-dev)
# shellcheck disable=SC2034
packages_to_test=(doctest-dev python3-pytest python3-pytest-xdist inotify-tools libinotifytools0-dev rsync openssh-server openssh-client
  mandoc binutils procps make jq fish zsh)
# shellcheck disable=SC2034
packages_to_check=(clang libclang-rt-14-dev clang-format shellcheck mandoc valgrind python3
  nginx-light redis-server lsyncd) # the last three for the recipes' tests, which are skipped without them

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# need_packages PACKAGE...: installs what is missing, or says what to install and fails.
need_packages() {
  command -v dpkg-query >/dev/null || return 0 # not Debian: meson and pytest say what they lack
  local missing=() package
  for package in "$@"; do is_installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} -eq 0 ] && return 0

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      echo "$(basename "$0"): missing packages, and no right to install them; as root: apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo -n)
  fi
  echo "$(basename "$0"): installing ${missing[*]}"
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y
    -o DPkg::Lock::Timeout=120 --no-install-recommends install)
  # A fresh machine has no package lists yet, and an old one may have stale ones.
  "${install[@]}" "${missing[@]}" >/dev/null 2>&1 </dev/null && return 0
  "${as_root[@]}" apt-get -qq update </dev/null && "${install[@]}" "${missing[@]}" >/dev/null </dev/null && return 0
  echo "$(basename "$0"): could not install ${missing[*]}; see the lines above" >&2
  return 1
}

# configure DIRECTORY [MESON OPTION...]: sets a build directory up, or brings an older one in line.
configure() {
  local directory=$1
  shift
  [ "${CI:-}" = true ] && set -- -Dwerror=true "$@" # compiler warnings are errors there
  if [ -f "$directory/build.ninja" ]; then
    [ $# -eq 0 ] || meson configure "$directory" "$@" >/dev/null
  else
    meson setup "$directory" "$@"
  fi
}

# One build for tests under the sanitizers and for fuzzing: by clang, which has libFuzzer, and with the library static.
configure_sanitizers() {
  # shellcheck disable=SC2054
  local options=(-Dbuildtype=debug -Doptimization=1 -Db_ndebug=false -Ddefault_library=static -Db_lundef=false
    -Db_sanitize=address,undefined -Dcpp_args=-fsanitize=fuzzer-no-link)
  CC=clang CXX=clang++ configure "$1" "${options[@]}"
}
