"""A program on a terminal of its own: pty.py COLUMNS ROWS PROGRAM ARGUMENTS… ; its bytes pass through here unchanged.

Columns 0: the line says no size, as a serial one. Standard error stays apart.
"""
import fcntl, os, select, struct, sys, termios

columns, rows = int(sys.argv[1]), int(sys.argv[2])
master, slave = os.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    os.dup2(slave, 0)
    os.dup2(slave, 1)
    os.close(master)
    os.execvp(sys.argv[3], sys.argv[3:])
os.close(slave)
stdin_open = True
while True:
    ready, _, _ = select.select([master] + ([0] if stdin_open else []), [], [])
    if master in ready:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if data:
            os.write(master, data)
        else:
            stdin_open = False
            os.kill(child, 15)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
