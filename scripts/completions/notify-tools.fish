# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for fish. It asks the program itself what options and events there are, so it is never out of step.

function __notify_tools_events --argument-names program
    $program --help 2>/dev/null | sed -n '/^Events:/,$s/^\t\([a-z_]\{1,\}\)\t.*/\1/p'
end

function __notify_tools_describe --argument-names program
    for line in ($program --help 2>/dev/null | string match --regex '^\t-.*')
        set --local names (string split -- '|' (string match --regex '^\t(-[^\s]*)' $line)[2])
        set --local value (string match --regex '^\t-[^\s]*\s(<[^>]*>|[a-z]+(?:\|[a-z]+)+)' $line)[2]
        set --local words
        for name in $names
            switch $name
                case '--*'
                    set --append words --long-option (string sub --start 3 -- $name)
                case '-?'
                    set --append words --short-option (string sub --start 2 -- $name)
                case '*'
                    set --append words --old-option (string sub --start 2 -- $name)
            end
        end
        switch "$value"
            case '<event*'
                set --append words --exclusive --arguments "(__fish_complete_list , '__notify_tools_events $program')"
            case '<file>' '<program>'
                set --append words --require-parameter --force-files
            case '<*'
                set --append words --exclusive
            case '*|*'
                set --append words --exclusive --arguments (string replace --all -- '|' ' ' $value)
        end
        complete --command $program $words --description (string match --regex '\t([^\t]+)$' $line)[2]
    end
end

for program in inotifywait inotifywatch fsnotifywait fsnotifywatch inotifysync
    __notify_tools_describe $program
end
