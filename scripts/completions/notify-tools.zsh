#compdef inotifywait inotifywatch fsnotifywait fsnotifywatch inotifysync
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for zsh. It asks the program itself what options and events there are, so it is never out of step.

local help value previous=${words[CURRENT-1]}
local -a options events
help=$(${~words[1]} --help 2>/dev/null)

if [[ $PREFIX == --*=* ]]; then
  previous=${PREFIX%%=*}
  compset -P '*='
fi
value=$(awk -v option=$previous '/^\t-/ {
  count = split($1, names, "|")
  for (i = 1; i <= count; i++)
    if (names[i] == option && ($2 ~ /^</ || $2 ~ /\|/)) { print $2; exit }
}' <<<$help)

case $value in
  ('<event'*)
    events=(${(f)"$(sed -n '/^Events:/,$s/^\t\([a-z_]\{1,\}\)\t.*/\1/p' <<<$help)"})
    compset -P '*,'
    compadd -q -S ',' -- $events
    ;;
  ('<file>' | '<program>') _files ;;
  ('<'*) _message "${value//[<>]/}" ;;
  (*'|'*) compadd -- ${(s:|:)value} ;;
  (*)
    if [[ $PREFIX == -* ]]; then
      options=(${(f)"$(sed -n 's/^\t\(-[^[:space:]]*\).*/\1/p' <<<$help | tr '|' '\n')"})
      compadd -- $options
    else
      _files
    fi
    ;;
esac
