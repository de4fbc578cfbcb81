#!/usr/bin/env bats
# The examples of statwit-expect(7), section SUBJECTS: what is received, and what holds then.
load helper

# For each .Ss of the section: N.lines and N.claims, and its title in N.title.
split() {
    awk -v dir="$PWD" '
        /^\.Sh / { on = /SUBJECTS/ }
        on && /^\.Ss / { n++; block = 0; sub(/^\.Ss /, ""); print > (dir "/" n ".title") }
        on && /^\.Bd / { block++; inside = 1; next }
        on && /^\.Ed/ { inside = 0 }
        on && inside { gsub(/\\e/, "\\"); print > (dir "/" n (block == 1 ? ".lines" : ".claims")) }
    ' "$BATS_TEST_DIRNAME/../../server/statwit-expect.7"
}

@test "every example of the manual's subjects holds, or fails as it says" {
    split
    start
    local n=0 claim
    for title in *.title; do
        n=$((n + 1))
        statwit reset
        statwit send <"${title%.title}.lines"
        while IFS= read -r claim; do
            run statwit expect "$claim"
            if [[ $claim == *'# fails' ]]; then
                exits 1
            else
                [ "$status" -eq 0 ] || { cat "$title" && echo "$claim" && echo "$output" && false; }
            fi
        done <"${title%.title}.claims"
    done
    [ "$n" -eq 6 ]
}

@test "no value of an option is shown as an option, as --since -0 was" {
    # mdoc puts a dash before every word behind .Fl: a value stands behind Ar, Cm or Ns.
    run grep -nE '^\.(It )?Fl [^"]*[ -][a-z]+ [0-9]' "$BATS_TEST_DIRNAME"/../../server/*.[157] "$BATS_TEST_DIRNAME"/../../client/c/*.3
    [ "$status" -eq 1 ] || { echo "$output" && false; }
}
