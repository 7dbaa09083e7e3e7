// SPDX-License-Identifier: GPL-2.0-or-later
// Loaded before a program under a valgrind that does not know pidfd_open(2): a pipe stands in for the
// descriptor, and a thread closes its other side when the child has ended.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void* wait_for_end(void* packed) {
  const uintptr_t both = (uintptr_t)packed;
  siginfo_t info;
  waitid(P_PID, (id_t)(both >> 16), &info, WEXITED | WNOWAIT);
  close((int)(both & 0xffff));
  return NULL;
}

static long open_stand_in(long pid) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  pthread_t thread;
  pthread_create(&thread, NULL, wait_for_end, (void*)((uintptr_t)pid << 16 | (uintptr_t)ends[1]));
  pthread_detach(thread);
  return ends[0];
}

long syscall(long number, ...) {
  long a[6];
  __builtin_va_list list;
  __builtin_va_start(list, number);
  for (int i = 0; i < 6; ++i) a[i] = __builtin_va_arg(list, long);
  __builtin_va_end(list);
  if (number == SYS_pidfd_open) return open_stand_in(a[0]);
  long (*real)(long, ...);
  *(void**)&real = dlsym(RTLD_NEXT, "syscall");
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
