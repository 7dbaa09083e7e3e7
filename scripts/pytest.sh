# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by scripts/test and scripts/sanitize: how the programs are driven by pytest.

# run_pytest OPTION...: as many tests at a time as there are processors (most of them wait for a program to become
# idle). What failed beside the others is run once more, alone: a machine that was busy for half a minute is told from a
# program that is wrong. A test that needed this is named on the last lines: it has a race to be found.
run_pytest() {
  local parallel=() cache=(-o "cache_dir=$NOTIFY_BUILD/pytest-cache") status=0
  # Started in the background of a script, we were told to ignore these; the programs under test must not be.
  # shellcheck disable=SC2054
  local command=(env --default-signal=INT,QUIT,PIPE python3 -m pytest -q "${cache[@]}")
  python3 -c 'import xdist' 2>/dev/null && parallel=(-n "$(nproc)")
  "${command[@]}" "${parallel[@]}" "$@" tests || status=$?
  # 1: tests ran and some failed; anything else is pytest's own trouble or an interrupt, and is not tried again.
  [ "$status" -eq 1 ] || return "$status"
  echo "--- once more, alone: what failed"
  "${command[@]}" --last-failed --maxfail=5 -rA --tb=short --show-capture=no "$@" tests
}
