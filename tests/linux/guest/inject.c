/* SPDX-License-Identifier: MIT */
/*
 * inject PID: makes system calls in a confined caesurad, in place of poll() of
 * its main thread, and checks their results. The daemon forbids itself some
 * forms of system calls that it uses in other forms. Each forbidden call here
 * would change nothing even if it were allowed, because the kernel would refuse
 * it for another reason.
 *
 * Exit codes: 0, 1 a call has ended otherwise than it should, 2 could not run.
 */
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#define SVC 0xd4000001u
#define PAGE 4096ul
#define MAPPED UINT64_MAX /* as an argument: the address that mmap() returned */

static pid_t traced;

__attribute__((noreturn)) static void give_up(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(2);
}

static void get_registers(struct user_regs_struct *registers)
{
	struct iovec part = {registers, sizeof(*registers)};

	if (ptrace(PTRACE_GETREGSET, traced, NT_PRSTATUS, &part) != 0) {
		give_up("registers");
	}
}

static void set_registers(struct user_regs_struct *registers)
{
	struct iovec part = {registers, sizeof(*registers)};

	if (ptrace(PTRACE_SETREGSET, traced, NT_PRSTATUS, &part) != 0) {
		give_up("registers");
	}
}

static void go_on(void)
{
	int status;

	if (ptrace(PTRACE_SYSCALL, traced, NULL, NULL) != 0 ||
	    waitpid(traced, &status, __WALL) != traced || !WIFSTOPPED(status)) {
		give_up("the call");
	}
}

static bool is_svc(uint64_t address)
{
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, traced, (void *)(uintptr_t)address,
		      NULL);
	return errno == 0 && (uint32_t)word == SVC;
}

/* Finds the SVC instruction of the system call in which the thread has been
 * stopped. */
static uint64_t find_svc(void)
{
	struct user_regs_struct registers;

	get_registers(&registers);
	for (unsigned back = 0; back <= 4; back += 4) {
		if (is_svc(registers.pc - back)) {
			return registers.pc - back;
		}
	}
	give_up("no system call");
}

static int64_t call(uint64_t svc, uint64_t number, const uint64_t argument[6])
{
	struct user_regs_struct before, registers;

	get_registers(&before);
	registers = before;
	memcpy(registers.regs, argument, 6 * sizeof(*argument));
	registers.regs[8] = number;
	registers.pc = svc;
	set_registers(&registers);
	go_on(); /* to the start of the call */
	go_on(); /* to the end of the call */
	get_registers(&registers);
	set_registers(&before);
	return (int64_t)registers.regs[0];
}

static const struct {
	const char *name;
	uint64_t number;
	uint64_t argument[6];
	int error; /* the expected errno; 0: success */
} calls[] = {
	{"mmap of memory for data",
	 SYS_mmap,
	 {0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1ul,
	  0},
	 0},
	{"mmap of memory for code",
	 SYS_mmap,
	 {0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1ul, 0},
	 EPERM},
	{"mprotect of memory for data",
	 SYS_mprotect,
	 {MAPPED, PAGE, PROT_READ},
	 0},
	{"mprotect of memory for code",
	 SYS_mprotect,
	 {MAPPED, PAGE, PROT_READ | PROT_EXEC},
	 EPERM},
	{"ioctl", SYS_ioctl, {-1ul, 0, 0}, EPERM},
	/* Shared handlers without shared memory: EINVAL where it is not
	 * forbidden. */
	{"clone of a process", SYS_clone, {CLONE_SIGHAND | SIGCHLD}, EPERM},
	{"clone3", SYS_clone3, {0, 0}, ENOSYS},
	{"sched_setscheduler",
	 SYS_sched_setscheduler,
	 {0, SCHED_FIFO, 0},
	 EPERM},
	{"prlimit64 to read", SYS_prlimit64, {0, RLIMIT_NOFILE, 0, 0}, 0},
	{"prlimit64 to set", SYS_prlimit64, {0, RLIMIT_NOFILE, 1, 0}, EPERM},
};

static int make_calls(uint64_t svc)
{
	uint64_t mapped = 0;
	int wrong = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		uint64_t argument[6];
		int64_t result;
		int error;

		memcpy(argument, calls[i].argument, sizeof(argument));
		if (argument[0] == MAPPED) {
			argument[0] = mapped;
		}
		result = call(svc, calls[i].number, argument);
		error = result < 0 && result > -4096 ? (int)-result : 0;
		if (calls[i].number == SYS_mmap && error == 0) {
			mapped = (uint64_t)result;
		}
		printf("%s: %s\n", calls[i].name,
		       error == 0 ? "OK" : strerrorname_np(error));
		wrong += error != calls[i].error;
	}
	return wrong;
}

int main(int count, char **words)
{
	struct user_regs_struct before;
	uint64_t svc;
	int status, wrong;

	if (count != 2) {
		printf("usage: inject PID\n");
		return 2;
	}
	traced = (pid_t)strtol(words[1], NULL, 10);
	if (ptrace(PTRACE_ATTACH, traced, NULL, NULL) != 0 ||
	    waitpid(traced, &status, __WALL) != traced) {
		give_up("attach");
	}
	get_registers(&before);
	svc = find_svc();
	wrong = make_calls(svc);
	set_registers(&before);
	(void)ptrace(PTRACE_DETACH, traced, NULL, NULL);
	return wrong == 0 ? 0 : 1;
}
