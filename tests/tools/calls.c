/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes exactly the calls it is told and no other: no C library, so that a test knows the whole
 * set. Built with -static -nostdlib (see Makefile).
 *
 * usage: calls [-n|-r] TOKEN...       -n: prints the set, "ABI NUMBER" a line, and makes nothing;
 *                                     -r: prints what each returned, "ABI NUMBER VALUE"
 *   N, A-B    the call of that number, each of that range, every argument -1
 *   int80:N   i386's call N, through int 0x80 (x86_64 only)
 *   noise:K   from here on, K getppid after each call (0: none)
 *   pace:MS   from here on, a nanosleep after each call (0: none)
 *   name:NAME calls itself that (prctl)
 *   fork      what follows is done by a child, this process waits for it
 *   exec      what follows is done after an exec of this program
 *   stdin     read until standard input ends
 * It ends with exit_group(0); 9 is an error of the test itself.
 */
#include <stdbool.h>
#include <sys/syscall.h>

#define SIGCHLD 17

struct span {
	long sec, nsec;
};

static bool dry, report;
static long noise, pace;

#if defined(__x86_64__)
#define NATIVE "x86_64"
static long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static long int80(long nr)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(-1L), "c"(-1L), "d"(-1L), "S"(-1L), "D"(-1L)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

__asm__(".globl _start\n"
	"_start: mov %rsp, %rdi\n"
	"and $-16, %rsp\n"
	"call calls_main\n"
	"hlt\n");
#elif defined(__aarch64__)
#define NATIVE "aarch64"
static long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

static long int80(long nr)
{
	return -nr;
}

__asm__(".globl _start\n"
	"_start: mov x0, sp\n"
	"bl calls_main\n"
	"brk #0\n");
#else
#error "no system call stub for this machine"
#endif

static void die(long code)
{
	for (;;)
		(void)sys6(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

static long length(const char *s)
{
	long n = 0;

	while (s[n])
		n++;
	return n;
}

static void put(const char *s)
{
	(void)sys6(SYS_write, 1, (long)s, length(s), 0, 0, 0);
}

static void put_number(long nr, char end)
{
	char digits[24] = "";
	int at = sizeof(digits) - 2;
	bool negative = nr < 0;

	digits[at] = end;
	do {
		digits[--at] = '0' + (negative ? -(nr % 10) : nr % 10);
		nr /= 10;
	} while (nr);
	if (negative)
		digits[--at] = '-';
	put(digits + at);
}

static void print(const char *abi, long nr)
{
	put(abi);
	put(" ");
	put_number(nr, '\n');
}

static void returned(const char *abi, long nr, long value)
{
	if (!report)
		return;
	put(abi);
	put(" ");
	put_number(nr, ' ');
	put_number(value, '\n');
}

/* Makes a call, or in a dry run says so. */
static long native(long nr, long a, long b, long c, long d)
{
	if (!dry)
		return sys6(nr, a, b, c, d, 0, 0);
	print(NATIVE, nr);
	return 0;
}

static void after_call(void)
{
	struct span span = { pace / 1000, pace % 1000 * 1000000 };
	long left = dry && noise ? 1 : noise;

	while (left-- > 0)
		(void)native(SYS_getppid, 0, 0, 0, 0);
	if (pace)
		(void)native(SYS_nanosleep, (long)&span, 0, 0, 0);
}

static void one_call(long nr)
{
	if (dry)
		print(NATIVE, nr);
	else
		returned(NATIVE, nr, sys6(nr, -1, -1, -1, -1, -1, -1));
	after_call();
}

static void one_int80(long nr)
{
	if (dry)
		print("i386", nr);
	else
		returned("i386", nr, int80(nr));
	after_call();
}

static long number(const char **at)
{
	long value = 0;

	if (**at < '0' || **at > '9')
		die(9);
	for (; **at >= '0' && **at <= '9'; (*at)++)
		value = value * 10 + (**at - '0');
	return value;
}

/* The text after `word`, NULL when `token` does not begin with it. */
static const char *after(const char *token, const char *word)
{
	while (*word && *token == *word) {
		token++;
		word++;
	}
	return *word ? (void *)0 : token;
}

static void range(const char *token)
{
	long first = number(&token), last = first;

	if (*token == '-') {
		token++;
		last = number(&token);
	}
	if (*token)
		die(9);
	for (; first <= last; first++)
		one_call(first);
}

static void fork_rest(void)
{
	long pid = native(SYS_clone, SIGCHLD, 0, 0, 0);
	int status = 0;

	if (pid == 0 && !dry)
		return;
	(void)native(SYS_wait4, pid, (long)&status, 0, 0);
	if (!dry)
		die(status ? 9 : 0);
}

static void exec_rest(char **argv, char **envp)
{
	(void)native(SYS_execve, (long)"/proc/self/exe", (long)argv, (long)envp, 0);
	if (!dry)
		die(9);
	noise = 0;
	pace = 0;
}

static void read_rest(void)
{
	char some[512];

	while (native(SYS_read, 0, (long)some, sizeof(some), 0) > 0)
		;
}

static void take_name(const char *name)
{
	const long set_name = 15;

	(void)native(SYS_prctl, set_name, (long)name, 0, 0);
}

static void token(char **argv, char **envp)
{
	const char *text;

	if ((text = after(*argv, "int80:")))
		one_int80(number(&text));
	else if ((text = after(*argv, "noise:")))
		noise = number(&text);
	else if ((text = after(*argv, "pace:")))
		pace = number(&text);
	else if ((text = after(*argv, "name:")))
		take_name(text);
	else if ((text = after(*argv, "fork")))
		fork_rest();
	else if ((text = after(*argv, "exec")))
		exec_rest(argv, envp);
	else if (after(*argv, "stdin"))
		read_rest();
	else
		range(*argv);
}

void calls_main(long *stack);
void calls_main(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	long i = 1;

	if (argc > 1 && after(argv[1], "-n")) {
		dry = true;
		i = 2;
	} else if (argc > 1 && after(argv[1], "-r")) {
		report = true;
		i = 2;
	}
	for (; i < argc; i++)
		token(argv + i, envp);
	(void)native(SYS_exit_group, 0, 0, 0, 0);
	die(0);
}
