/* SPDX-License-Identifier: MIT */
#include "host/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534u
#define LAST_CAPABILITY 63
#define SVC_BYTES 4u

static bool fails(char *why, size_t chars, const char *what)
{
	(void)snprintf(why, chars, "%s: %s", what, strerror(errno));
	return false;
}

/* What is mapped later would count against the limit once the process is not
 * root any more. */
bool confine_memory(void)
{
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

	return setrlimit(RLIMIT_MEMLOCK, &none) == 0 &&
	       mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

/* ---- Users and capabilities ---- */

static bool set_capabilities(uint32_t low)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{.effective = low, .permitted = low},
	};

	return syscall(SYS_capset, &header, data) == 0;
}

static void drop_bounding(void)
{
	for (int i = 0; i <= LAST_CAPABILITY; i++) {
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	}
}

/* setresuid() is a call of each thread. It needs these two capabilities, and
 * clears them. */
bool confine_thread(void)
{
	uint32_t kept =
		geteuid() == 0 ? 1u << CAP_SETUID | 1u << CAP_SETGID : 0;

	drop_bounding();
	return set_capabilities(kept);
}

static bool find_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *entry = name == NULL ? NULL : getpwnam(name);

	*uid = NOBODY;
	*gid = NOBODY;
	if (entry != NULL) {
		*uid = entry->pw_uid;
		*gid = entry->pw_gid;
	}
	return name == NULL || entry != NULL;
}

bool confine_process(const char *user, bool keep_mounts, char *why,
		     size_t why_chars)
{
	uint32_t kept = keep_mounts ? 1u << CAP_SYS_ADMIN : 0;
	uid_t uid;
	gid_t gid;

	if (!find_user(user, &uid, &gid)) {
		(void)snprintf(why, why_chars, "there is no user %s", user);
		return false;
	}
	drop_bounding();
	/* With the module, caesurad may be started by a user who has no
	 * privileges to drop. */
	if (geteuid() == 0 &&
	    (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
	     setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	     setresuid(uid, uid, uid) != 0)) {
		return fails(why, why_chars, "giving up root");
	}
	if ((!set_capabilities(kept) && !set_capabilities(0)) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		return fails(why, why_chars, "giving up capabilities");
	}
	return true;
}

/* ---- System calls ---- */

/* What the C library, the front ends and the host need once they serve. */
static const char *const allowed[] = {
	"brk",
	"clock_gettime",
	"clock_nanosleep",
	"clone",
	"clone3", /* deny_forms() answers ENOSYS */
	"close",
	"epoll_ctl",
	"epoll_pwait",
	"eventfd2",
	"exit",
	"exit_group",
	"fcntl",
	"fstat",
	"ftruncate",
	"futex",
	"getcpu", /* used by the C library if the kernel has no rseq */
	"getpid",
	"getrandom",
	"gettid",
	"accept4",
	"recvfrom",
	"lseek",
	"madvise",
	"membarrier",
	"mlock",
	"mmap",
	"mprotect",
	"mremap",
	"munmap",
	"nanosleep",
	"newfstatat",
	"ppoll",
	"pread64",
	"preadv",
	"prlimit64",
	"pwrite64",
	"pwritev",
	"read",
	"readv",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"sched_getaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"sched_setaffinity",
	"sched_yield",
	"sendto",
	"sendmsg",
	"set_robust_list",
	"set_tid_address",
	"shutdown",
	"sigaltstack",
	"splice",
	"tgkill",
	"unlinkat",
	"vmsplice",
	"write",
	"writev",
};

static const char *const allowed_to_unmount[] = {
	"exit_group", "read", "restart_syscall", "umount2", "write",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool allow(const char *const *names, size_t count, char *why,
		  size_t why_chars)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error = filter == NULL ? -ENOMEM : 0;

	if (error == 0) {
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	}
	for (size_t i = 0; error == 0 && i < count; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		if (number != __NR_SCMP_ERROR) {
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number,
						 0);
		}
	}
	if (error == 0) {
		error = seccomp_load(filter);
	}
	if (filter != NULL) {
		seccomp_release(filter);
	}
	errno = -error;
	return error == 0 || fails(why, why_chars, "seccomp");
}

/* ---- Forms of calls that are allowed ---- */

struct form {
	int number, error;
	unsigned count; /* arguments that are compared */
	struct scmp_arg_cmp argument[2];
};

static int deny(const struct form *forms, size_t count)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = filter == NULL ? -ENOMEM
				   : seccomp_attr_set(filter,
						      SCMP_FLTATR_CTL_TSYNC, 1);

	for (size_t i = 0; error == 0 && i < count; i++) {
		error = seccomp_rule_add_array(
			filter, SCMP_ACT_ERRNO((uint32_t)forms[i].error),
			forms[i].number, forms[i].count, forms[i].argument);
	}
	if (error == 0) {
		error = seccomp_load(filter);
	}
	if (filter != NULL) {
		seccomp_release(filter);
	}
	return error;
}

/*
 * mprotect() may make executable only the code that firmware may also write:
 * its pages are made writable and read-only again during each call. A rule can
 * compare an argument only once, so there are three rules for it. clone() may
 * only create threads. clone3() has its flags in memory, where no filter can
 * read them; the C library uses clone() if there is no clone3().
 */
static bool deny_forms(const struct confine_range *changing, char *why,
		       size_t why_chars)
{
	const struct scmp_arg_cmp executable = {
		.arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = PROT_EXEC,
		.datum_b = PROT_EXEC,
	};
	const struct scmp_arg_cmp below = {
		.arg = 0, .op = SCMP_CMP_LT, .datum_a = changing->start};
	const struct scmp_arg_cmp above = {
		.arg = 0, .op = SCMP_CMP_GE, .datum_a = changing->end};
	const struct scmp_arg_cmp longer = {
		.arg = 1,
		.op = SCMP_CMP_GT,
		.datum_a = changing->end - changing->start,
	};
	const struct scmp_arg_cmp no_thread = {
		.arg = 0,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = CLONE_THREAD,
	};
	const struct scmp_arg_cmp sets = {.arg = 2, .op = SCMP_CMP_NE};
	const struct form forms[] = {
		{SCMP_SYS(mmap), EPERM, 1, {executable}},
		{SCMP_SYS(mprotect), EPERM, 2, {executable, below}},
		{SCMP_SYS(mprotect), EPERM, 2, {executable, above}},
		{SCMP_SYS(mprotect), EPERM, 2, {executable, longer}},
		{SCMP_SYS(clone), EPERM, 1, {no_thread}},
		{SCMP_SYS(clone3), ENOSYS, 0, {{0}}},
		{SCMP_SYS(prlimit64), EPERM, 1, {sets}},
	};

	errno = -deny(forms, COUNT(forms));
	return errno == 0 ||
	       fails(why, why_chars, "seccomp, for arguments of calls");
}

#define LOW(value) ((uint32_t)(value))
#define HIGH(value) ((uint32_t)((value) >> 32))
#define POINTER_LOW offsetof(struct seccomp_data, instruction_pointer)
#define POINTER_HIGH (POINTER_LOW + 4)

/* Decides by the address of the call, which libseccomp cannot compare. A jump
 * counts instructions from the next one. */
static bool trap_firmware(uint64_t start, uint64_t end, char *why,
			  size_t why_chars)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, POINTER_HIGH),
		/* Below the start? */
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, HIGH(start), 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HIGH(start), 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, POINTER_LOW),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, LOW(start), 0, 4),
		/* Below the end? */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, POINTER_HIGH),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, HIGH(end), 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HIGH(end), 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, POINTER_LOW),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, LOW(end), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_TSYNC, &program) == 0 ||
	       fails(why, why_chars, "seccomp, for firmware's calls");
}

bool confine_calls(const struct confine_range *firmware,
		   const struct confine_range *changing, char *why,
		   size_t why_chars)
{
	uint64_t here = (uint64_t)(uintptr_t)confine_calls;

	if (here - firmware->start < firmware->end - firmware->start) {
		(void)snprintf(why, why_chars,
			       "this program lies in firmware's address range");
		return false;
	}
	/* The instruction pointer is that of the instruction after the SVC.
	 * allow() comes last because it forbids to add filters. */
	return trap_firmware(firmware->start + SVC_BYTES,
			     firmware->end + SVC_BYTES, why, why_chars) &&
	       deny_forms(changing, why, why_chars) &&
	       allow(allowed, COUNT(allowed), why, why_chars);
}

bool confine_to_unmount(char *why, size_t why_chars)
{
	return allow(allowed_to_unmount, COUNT(allowed_to_unmount), why,
		     why_chars);
}
