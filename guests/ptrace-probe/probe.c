// A Linux program that debugs a child as gdb does, and counts as perf does: single steps, hardware breakpoints and watchpoints through
// PTRACE_SETREGSET, and a counter of instructions from perf_event_open. A line for each, with what was seen. No C library.

typedef unsigned long u64;
typedef long i64;
typedef unsigned int u32;
typedef int i32;

static i64 call(i64 n, i64 a, i64 b, i64 c, i64 d, i64 e)
{
	register i64 x8 __asm__("x8") = n;
	register i64 x0 __asm__("x0") = a;
	register i64 x1 __asm__("x1") = b;
	register i64 x2 __asm__("x2") = c;
	register i64 x3 __asm__("x3") = d;
	register i64 x4 __asm__("x4") = e;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory", "cc");
	return x0;
}

enum { IOCTL = 29, READ = 63, WRITE = 64, EXIT_GROUP = 94, KILL = 129, PTRACE = 117, GETPID = 172, CLONE = 220, PERF_EVENT_OPEN = 241, WAIT4 = 260 };
enum { TRACEME = 0, CONT = 7, SINGLESTEP = 9, GETSIGINFO = 0x4202, GETREGSET = 0x4204, SETREGSET = 0x4205 };
enum { NT_PRSTATUS = 1, NT_ARM_HW_BREAK = 0x402, NT_ARM_HW_WATCH = 0x403 };
enum { SIGTRAP = 5, SIGCHLD = 17, SIGSTOP = 19 };

struct iov { void *base; u64 length; };
struct regs { u64 x[31], sp, pc, pstate; };
struct debug { u32 info, pad; struct { u64 address; u32 control, pad; } entries[1]; };

static void say(const char *text)
{
	u64 length = 0;
	while (text[length]) length++;
	call(WRITE, 1, (i64)text, length, 0, 0);
}

static void number(const char *what, u64 value)
{
	char digits[24];
	int at = 23;
	digits[at] = 0;
	do digits[--at] = '0' + value % 10; while (value /= 10);
	say(what);
	say(" ");
	say(digits + at);
	say("\n");
}

static volatile u64 watched;

extern char loop_start[], loop_end[];

/** Ten times round: 1 + 10 * 2 instructions from the first label to the second. */
__asm__("	.globl loop_start, loop_end, loop\n"
	"loop:\n"
	"loop_start:\n"
	"	mov	x0, #10\n"
	"1:	subs	x0, x0, #1\n"
	"	b.ne	1b\n"
	"loop_end:\n"
	"	ret\n");
extern void loop(void);

static void child(void)
{
	call(PTRACE, TRACEME, 0, 0, 0, 0);
	call(KILL, call(GETPID, 0, 0, 0, 0, 0), SIGSTOP, 0, 0, 0);
	loop();
	watched = 1;
	call(EXIT_GROUP, 7, 0, 0, 0, 0);
}

/** The signal that stopped it; -1 where it ended. */
static i64 stopped(i64 pid)
{
	i32 status = 0;
	call(WAIT4, pid, (i64)&status, 0, 0, 0);
	return (status & 0xff) == 0x7f ? (status >> 8) & 0xff : -1;
}

static u64 pc(i64 pid)
{
	struct regs regs;
	struct iov iov = { &regs, sizeof regs };
	call(PTRACE, GETREGSET, pid, NT_PRSTATUS, (i64)&iov, 0);
	return regs.pc;
}

static i64 set(i64 pid, int kind, u64 address, u32 control)
{
	struct debug debug = { 0, 0, { { address, control, 0 } } };
	struct iov iov = { &debug, sizeof debug };
	return call(PTRACE, SETREGSET, pid, kind, (i64)&iov, 0);
}

static u64 slots(i64 pid, int kind)
{
	static struct { u32 info, pad; u64 rest[32]; } state;
	struct iov iov = { &state, sizeof state };
	if (call(PTRACE, GETREGSET, pid, kind, (i64)&iov, 0) != 0) return 0;
	return state.info & 0xff;
}

static void debugs(void)
{
	struct { i32 number, error, code, pad; u64 address; u64 rest[13]; } info;
	i64 pid = call(CLONE, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) child();
	number("stopped by", stopped(pid));
	number("breakpoints", slots(pid, NT_ARM_HW_BREAK));
	number("watchpoints", slots(pid, NT_ARM_HW_WATCH));

	// BAS 0xf, execute, EL0.
	number("breakpoint set", -set(pid, NT_ARM_HW_BREAK, (u64)loop_start, 0xf << 5 | 0 << 3 | 2 << 1 | 1));
	call(PTRACE, CONT, pid, 0, 0, 0);
	number("breakpoint signal", stopped(pid));
	number("breakpoint at offset", pc(pid) - (u64)loop_start);
	call(PTRACE, GETSIGINFO, pid, 0, (i64)&info, 0);
	number("breakpoint code", info.code);
	set(pid, NT_ARM_HW_BREAK, 0, 0);

	u64 steps = 0, bad = 0;
	while (pc(pid) != (u64)loop_end && steps < 1000) {
		call(PTRACE, SINGLESTEP, pid, 0, 0, 0);
		bad += stopped(pid) != SIGTRAP;
		steps++;
	}
	number("steps", steps);
	number("steps without a trap", bad);

	// BAS 0xff, store, EL0.
	number("watchpoint set", -set(pid, NT_ARM_HW_WATCH, (u64)&watched, 0xff << 5 | 2 << 3 | 2 << 1 | 1));
	call(PTRACE, CONT, pid, 0, 0, 0);
	number("watchpoint signal", stopped(pid));
	call(PTRACE, GETSIGINFO, pid, 0, (i64)&info, 0);
	number("watchpoint at offset", info.address - (u64)&watched);
	set(pid, NT_ARM_HW_WATCH, 0, 0);
	call(PTRACE, CONT, pid, 0, 0, 0);
	number("ended", stopped(pid) == -1);
}

static void counts(void)
{
	// struct perf_event_attr, version 0: hardware, instructions, disabled, without the kernel and the hypervisor.
	u64 attr[8] = { 0 | (u64)64 << 32, 1, 0, 0, 0, 1 | 1 << 5 | 1 << 6, 0, 0 };
	u64 before = 0, count = 0;
	i64 fd = call(PERF_EVENT_OPEN, (i64)attr, 0, -1, -1, 0);
	if (fd < 0) {
		number("perf_event_open fails with", -fd);
		return;
	}
	call(IOCTL, fd, 0x2400, 0, 0, 0);
	call(READ, fd, (i64)&before, 8, 0, 0);
	for (int i = 0; i < 100; i++) loop();
	call(READ, fd, (i64)&count, 8, 0, 0);
	number("instructions counted", count - before);
}

void _start(void)
{
	debugs();
	counts();
	say("probe done\n");
	call(EXIT_GROUP, 0, 0, 0, 0, 0);
}
