"""live_width.py PROGRAM WORDS... - runs it in a terminal of 100 columns that becomes one of 38 half way. Prints, for both, how
many progress lines were drawn and how wide the widest was; the closing sentence ("Indexed ...") is no progress line."""
import fcntl
import os
import pty
import re
import struct
import sys
import termios

child, terminal = pty.fork()
if child == 0:
    os.environ['TERM'] = 'xterm'
    os.environ.pop('COLUMNS', None)
    os.execv(sys.argv[1], sys.argv[1:])


def resize(columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))


resize(100)
drawn, wide = {100: b'', 38: b''}, 100
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    drawn[wide] += data
    if wide == 100 and drawn[100].count(b'files') >= 3:
        resize(38)
        wide = 38
os.waitpid(child, 0)
for columns, data in drawn.items():
    lines = re.split(r'[\r\n]+', re.sub(r'\x1b\[[0-9]*[A-Z]', '\n', data.decode()))
    lines = [x for x in lines if x and not x.startswith(('Indexed', 'Videos', 'Details'))]
    print(columns, len(lines) >= 3, max(map(len, lines), default=0) <= columns)
