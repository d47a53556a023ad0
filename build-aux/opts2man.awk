# opts2man.awk -- a program's manual page and its completion, from the .def files that the program itself is compiled from.
#   awk -v mode=man -v template=man/taggan-X.1.in -v version=V -f opts2man.awk X_options.def common_options.def
#   awk -v mode=completion -v program=taggan-X -f opts2man.awk X_options.def common_options.def
# In a template the line @OPTIONS@ becomes the options under their headings, @COMMANDS@ the commands; @VERSION@ is replaced anywhere.
# Any POSIX awk will do.

# A declaration starts with TG_ at the start of a line and may go on over several; the rest of the file is comment.
!depth && !/^TG_(OPTION|GROUP|COMMAND)\(/ { next }
{ read_line($0) }

END {
    if (depth) { print "opts2man.awk: a declaration does not end" > "/dev/stderr"; exit 1 }
    if (mode == "man") make_man()
    else make_completion()
}

# Takes a line apart; at the closing parenthesis the arguments 1..n_args of `macro` are whole.
function read_line(line,    i, c) {
    if (!depth) {
        macro = substr(line, 4, index(line, "(") - 4)
        line = substr(line, index(line, "(") + 1)
        depth = 1; n_args = 1; arg[1] = ""; in_text = 0
    }
    for (i = 1; i <= length(line) && depth; i++) {
        c = substr(line, i, 1)
        if (in_text) {
            if (c == "\\") { i++; arg[n_args] = arg[n_args] substr(line, i, 1) }
            else if (c == "\"") in_text = 0
            else arg[n_args] = arg[n_args] c
        } else if (c == "\"") in_text = 1
        else if (c == "(") depth++
        else if (c == ")") depth--
        else if (c == "," && depth == 1) { n_args++; arg[n_args] = "" }
        else if (c !~ /[ \t'\r]/) arg[n_args] = arg[n_args] c
    }
    if (!depth) keep()
}

function keep(    i) {
    n++
    kind[n] = macro
    if (macro == "GROUP") { help[n] = arg[1]; return }
    name[n] = arg[1]
    gsub(/_/, "-", name[n])
    if (macro == "COMMAND") { metavar[n] = arg[2]; help[n] = arg[3]; return }
    letter[n] = arg[2] == "0" ? "" : arg[2]
    type[n] = arg[3]
    metavar[n] = arg[4] == "NULL" ? "" : arg[4]
    choices[n] = arg[3] == "choice" ? arg[6] : ""
    low[n] = arg[6]; high[n] = arg[7]; help[n] = arg[8]
    value[n] = default_of(arg[3], arg[5], arg[6], arg[7])
}

# The default as people read it; "" when there is none to show.
function default_of(kind_, v, min, max) {
    if (v == "NULL" || kind_ == "flag" || kind_ == "list") return ""
    if (kind_ == "text" || kind_ == "choice") return v
    if (v + 0 < min + 0 || v + 0 > max + 0) return ""
    if (kind_ != "time") return v
    v += 0
    if (v >= 86400 && v % 86400 == 0) return v / 86400 "d"
    if (v >= 3600 && v % 3600 == 0) return v / 3600 "h"
    if (v >= 60 && v % 60 == 0) return v / 60 "m"
    return v "s"
}

function roff(s) {
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    if (s ~ /^[.']/) s = "\\&" s
    return s
}

function print_commands(    i) {
    for (i = 1; i <= n; i++) if (kind[i] == "COMMAND") {
        print ".TP"
        print "\\fB" roff(name[i]) "\\fR " roff(metavar[i])
        print roff(help[i]) "."
    }
}

function print_options(    i, line, text) {
    for (i = 1; i <= n; i++) {
        if (kind[i] == "GROUP") print ".SS " roff(help[i])
        if (kind[i] != "OPTION") continue
        line = (letter[i] != "" ? "\\fB\\-" letter[i] "\\fR, " : "") "\\fB\\-\\-" roff(name[i]) "\\fR"
        if (metavar[i] != "") line = line " \\fI" roff(metavar[i]) "\\fR"
        text = help[i]
        if (choices[i] != "") { text = text ": " choices[i]; gsub(/,/, ", ", text); gsub(/,  /, ", ", text) }
        print ".TP"
        print line
        print roff(text) "."
        if (type[i] ~ /^(int|size|real)$/) print "From " roff(low[i]) " to " roff(high[i]) "."
        if (type[i] == "list") print "May be given several times."
        if (value[i] != "") print "Default: " roff(value[i]) "."
    }
}

function make_man(    line, got) {
    while ((got = (getline line < template)) > 0) {
        if (line == "@OPTIONS@") print_options()
        else if (line == "@COMMANDS@") print_commands()
        else { gsub(/@VERSION@/, version, line); print line }
    }
    if (got < 0) { print "opts2man.awk: cannot read " template > "/dev/stderr"; exit 1 }
}

# The word patterns of option i in a case of bash.
function pattern(i) {
    return (letter[i] != "" ? "-" letter[i] "|" : "") "--" name[i]
}

# How bash finds values: names, folders, files, or nothing.
function generator(i,    words) {
    words = choices[i]
    gsub(/,/, " ", words)
    if (words != "") return "-W '" words "'"
    if (metavar[i] ~ /DIR/) return "-d"
    if (metavar[i] ~ /FILE|PATH|RUN|MODEL/) return "-f"
    if (name[i] == "device") return "-W 'auto cpu gpu'"
    return ""
}

function make_completion(    i, fn, all, commands, how) {
    fn = "_" program
    gsub(/-/, "_", fn)
    for (i = 1; i <= n; i++) {
        if (kind[i] == "COMMAND") commands = commands " " name[i]
        if (kind[i] == "OPTION") all = all " --" name[i] (letter[i] != "" ? " -" letter[i] : "")
    }
    print "# bash completion of " program "; made by opts2man.awk from its options"
    print fn "()"
    print "{"
    print "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}"
    print "    case $before in"
    for (i = 1; i <= n; i++) {
        if (kind[i] != "OPTION" || type[i] == "flag") continue
        how = generator(i)
        print "    " pattern(i) ") " (how != "" ? "mapfile -t COMPREPLY < <(compgen " how " -- \"$word\"); " : "") "return ;;"
    }
    print "    esac"
    print "    if [[ $word == -* ]]; then"
    print "        mapfile -t COMPREPLY < <(compgen -W '" substr(all, 2) "' -- \"$word\")"
    if (commands != "") {
        print "    elif ((COMP_CWORD == 1)); then"
        print "        mapfile -t COMPREPLY < <(compgen -W '" substr(commands, 2) "' -- \"$word\")"
    }
    print "    else"
    print "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"
    print "    fi"
    print "}"
    print "complete -o filenames -F " fn " " program
}
