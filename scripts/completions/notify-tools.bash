# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash. It asks the program itself what options and events there are, so it is never out of step.
# shellcheck shell=bash

# _notify_tools_help PROGRAM: the help text; --help exits 1, as it always did.
_notify_tools_help() { "$1" --help 2>/dev/null || true; }

# What the option $2 of the help text $1 takes: "<file>", "<event1>", "text|json", or nothing.
_notify_tools_value() {
  awk -v option="$2" '/^\t-/ {
    count = split($1, names, "|")
    for (i = 1; i <= count; i++)
      if (names[i] == option && ($2 ~ /^</ || $2 ~ /\|/)) { print $2; exit }
  }' <<<"$1"
}

_notify_tools_options() { sed -n 's/^\t\(-[^[:space:]]*\).*/\1/p' <<<"$1" | tr '|' '\n'; }
_notify_tools_events() { sed -n '/^Events:/,$s/^\t\([a-z_]\{1,\}\)\t.*/\1/p' <<<"$1"; }

_notify_tools() {
  local help current=$2 previous=$3 kept=
  help=$(_notify_tools_help "$1")
  COMPREPLY=()
  # "--event=cre" comes as three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $(_notify_tools_value "$help" "$previous") in
    '<event'*)
      [[ $current == *,* ]] && kept=${current%,*},
      mapfile -t COMPREPLY < <(compgen -P "$kept" -W "$(_notify_tools_events "$help")" -- "${current##*,}")
      compopt -o nospace 2>/dev/null
      ;;
    '<file>' | '<program>') mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    '<'*) ;;
    *'|'*)
      mapfile -t COMPREPLY < <(compgen -W "$(_notify_tools_value "$help" "$previous" | tr '|' ' ')" -- "$current")
      ;;
    *)
      if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_notify_tools_options "$help")" -- "$current")
      else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      ;;
  esac
}

complete -F _notify_tools inotifywait inotifywatch fsnotifywait fsnotifywatch inotifysync
