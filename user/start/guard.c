/* SPDX-License-Identifier: Apache-2.0 */
#include "start/guard.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "start/report.h"

static const int fatal[] = { SIGSEGV, SIGBUS,  SIGILL,	SIGFPE, SIGABRT,
			     SIGSYS,  SIGXCPU, SIGXFSZ, SIGALRM };

static void (*last_resort)(void);
static pid_t owner;
static sigset_t mask_before;
static struct sigaction pipe_before, child_before, fatal_before[ARRAY_SIZE(fatal)];
/* A stack that overflowed can't run the handler. */
static char stack[64 << 10];

static void on_fatal(int sig)
{
	if (getpid() == owner)
		last_resort();
	_exit(1);
}

static void catch_fatal(void)
{
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction act = { .sa_handler = on_fatal, .sa_flags = SA_ONSTACK | SA_RESETHAND };
	sigset_t unblock;

	(void)sigaltstack(&alternative, NULL);
	sigemptyset(&unblock);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++) {
		(void)sigaction(fatal[i], &act, &fatal_before[i]);
		sigaddset(&unblock, fatal[i]);
	}
	(void)sigprocmask(SIG_UNBLOCK, &unblock, &mask_before);
}

void guard_set(void (*fallback)(void), unsigned seconds)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN },
			       plain = { .sa_handler = SIG_DFL };

	last_resort = fallback;
	owner = getpid();
	(void)sigaction(SIGPIPE, &ignore, &pipe_before);
	(void)sigaction(SIGCHLD, &plain, &child_before);
	catch_fatal();
	alarm(seconds);
}

void guard_report(void)
{
	if (fork() != 0)
		return;
	guard_drop();
	alarm(1);
	/* Whoever waits for the end of these need not wait for us. */
	(void)dup2(STDERR_FILENO, STDIN_FILENO);
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	report_fault(NULL, "tamis-start crashed or hung; started under the engine's own profile");
	_exit(0);
}

void guard_drop(void)
{
	if (!owner)
		return;
	alarm(0);
	(void)sigaction(SIGPIPE, &pipe_before, NULL);
	(void)sigaction(SIGCHLD, &child_before, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		(void)sigaction(fatal[i], &fatal_before[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &mask_before, NULL);
}
