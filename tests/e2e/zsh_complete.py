#!/usr/bin/env python3
"""What zsh offers behind a line: zsh_complete.py COMPLETIONS LINE. Each word that it offers is one line, sorted.

zsh completes on a terminal only, so a shell runs on one. Its builtin compadd, through which all that is offered passes, prints it.
"""
import os
import pty
import re
import select
import sys
import time

SETUP = rb"""PS1= PS2=; unset HISTFILE; stty -echo; autoload -Uz compinit; compinit -u -D; source %s
bindkey '^I' complete-word; told() { print -r -- 'EN''D:'; exit }; comppostfuncs=(told); compadd() { if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return $?; fi; typeset -a hits; builtin compadd -A hits "$@"; local h; for h in $hits; do print -r -- "HI""T:$h:"; done; }; print REA''DY:
"""


class Terminal:
    def __init__(self):
        self.text = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb")
            os.execvp("zsh", ["zsh", "-f", "-i"])

    def write(self, text):
        os.write(self.fd, text)

    def read_until(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            try:
                more = os.read(self.fd, 65536) if ready else b""
            except OSError:
                more = b""
            if not more:
                print(f"zsh did not come to {pattern!r}: {self.text[-2000:]!r}")  # that is none of the words, whatever is wanted
                sys.exit(1)
            self.text += more


def main():
    completions, line = sys.argv[1:3]
    terminal = Terminal()
    terminal.write(SETUP % completions.encode())
    terminal.read_until(rb"READY:")
    terminal.text = b""
    terminal.write(line.encode() + b"\t")
    terminal.read_until(rb"END:")
    os.waitpid(terminal.pid, 0)
    for word in sorted(set(re.findall(rb"HIT:(.*?):\r", terminal.text))):
        print(word.decode())


main()
