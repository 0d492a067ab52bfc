/*
 * The command loop: one CPU at a time holds the turn and runs the commands that name it. Commands of another CPU pass
 * the turn on. Knows nothing of the GIC: an access is an address, or a stub, that the host chose.
 */
#include "protocol.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum kind {
  KIND_ACCESS = 0,     /* run the stub at the EL the agent runs at */
  KIND_ACCESS_EL1 = 1, /* run it at EL1, under the SCR_EL3 in `value` (from EL3 only) */
  KIND_ACCESS_EL3 = 2, /* run it at EL3, under the SCR_EL3 in `value` (from EL3 only) */
  KIND_LINES = 3,      /* value = ISR_EL1 of every CPU: bit 2n FIQ, bit 2n+1 IRQ */
  KIND_PAUSE = 4,      /* wait until the host, or QEMU for it, has changed the inputs */
  KIND_SYSTEM_RESET = 5,
};

struct command {
  u16 stub;    /* which of stubs.S */
  u8 cpu;
  u8 kind;
  u32 status;  /* out: ESR of a fault, STATUS_TAKEN, or 0 */
  u64 x0;      /* address of a load or store; value of an MSR */
  u64 value;   /* value of a store, or SCR_EL3; out: what a load or an MRS read */
};

struct mailbox {
  volatile u32 cpus;    /* written by the host before the start */
  volatile u32 aff0;    /* CPUs in an Aff0 group */
  volatile u32 go;      /* host: a batch of `count` commands is there */
  volatile u32 count;
  volatile u32 done;    /* agent: batch number `done` is finished */
  volatile u32 resume;  /* host: the inputs of pause number `resume` are set */
  volatile u32 pauses;  /* agent: pauses so far */
};

#define MAILBOX ((struct mailbox *)MAILBOX_ADDRESS)
#define COMMANDS ((volatile struct command *)COMMANDS_ADDRESS)

struct outcome {
  u64 value;
  u64 esr;
};
extern struct outcome access(u64 x0, const void *stub, u64 value);
extern struct outcome access_el1(u64 x0, const void *stub, u64 value, u64 scr);
extern struct outcome access_el3(u64 x0, const void *stub, u64 value, u64 scr);
extern const char stubs[];
extern void secondary_entry(void);

/*
 * Shared between the CPUs, which all run on one host thread, one after the other. A CPU may still lose its turn at
 * any branch, so every word has one writer at a time.
 */
static volatile u32 turn;
static volatile u32 busy; /* a batch is under way */
static volatile u32 at;   /* its next command */
static volatile u32 sample; /* number of the current KIND_LINES */
static volatile struct {
  u32 up;
  u32 answered; /* the last sample that it has put its lines down for */
  u64 lines;
} cpu[MAX_CPUS];

/* Under QEMU's single-threaded round robin, YIELD hands over to the next CPU at once. */
static inline void yield(void) { __asm__ volatile("yield" ::: "memory"); }
static inline void barrier(void) { __asm__ volatile("dsb sy\n isb" ::: "memory"); }

static void say(char c) { *(volatile u32 *)UART_ADDRESS = (u8)c; }

static inline u32 current_el(void) {
  u64 el;
  __asm__("mrs %0, CurrentEL" : "=r"(el));
  return (u32)(el >> 2);
}

static u64 own_lines(u32 me) {
  u64 isr;
  __asm__ volatile("isb\n mrs %0, isr_el1" : "=r"(isr));
  return ((isr >> 6) & 3) << (2 * me);
}

static u64 psci(u64 function, u64 a, u64 b, u64 c) {
  register u64 x0 __asm__("x0") = function;
  register u64 x1 __asm__("x1") = a;
  register u64 x2 __asm__("x2") = b;
  register u64 x3 __asm__("x3") = c;
  if (current_el() == 2)
    __asm__ volatile("smc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
  else
    __asm__ volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}

static void system_reset(void) {
  if (current_el() == 3) {
    /* No PSCI under us. The Secure GPIO's pin 1 is the board's restart wire; a PL011's DATA address carries a mask. */
    volatile u32 *gpio = (volatile u32 *)0x090b0000;
    gpio[0x400 / 4] = 2;
    gpio[(2 << 2) / 4] = 2;
  } else {
    psci(0x84000009, 0, 0, 0);
  }
  for (;;) yield();
}

static void answer(u32 me) {
  cpu[me].lines = own_lines(me);
  cpu[me].answered = sample;
}

static u64 all_lines(u32 me, u32 cpus) {
  sample++;
  answer(me);
  u64 lines = 0;
  for (u32 i = 0; i < cpus; i++) {
    while (cpu[i].answered != sample) yield();
    lines |= cpu[i].lines;
  }
  return lines;
}

static void wait_for_turn(u32 me) {
  while (turn != me) {
    if (cpu[me].answered != sample) answer(me);
    yield();
  }
  barrier();
}

/* The host answers: either itself or, when it only sets inputs, by a write that QEMU does for it. */
static void pause(void) {
  u32 number = MAILBOX->pauses + 1;
  MAILBOX->pauses = number;
  say(SAY_PAUSE);
  while (MAILBOX->resume != number) {}
}

/* Runs commands until one names another CPU. Returns with the turn given away or the batch at its end. */
static void run(u32 me, u32 cpus) {
  u32 count = MAILBOX->count;
  for (u32 next = at; next < count; next++) {
    volatile struct command *c = &COMMANDS[next];
    if (c->cpu != me) {
      at = next;
      barrier();
      turn = c->cpu;
      return;
    }
    const void *stub = stubs + 8u * c->stub;
    struct outcome o = {0, 0};
    switch (c->kind) {
    case KIND_ACCESS:
      o = access(c->x0, stub, c->value);
      break;
    case KIND_ACCESS_EL1:
      o = access_el1(c->x0, stub, 0, c->value);
      break;
    case KIND_ACCESS_EL3:
      o = access_el3(c->x0, stub, 0, c->value);
      break;
    case KIND_LINES:
      o.value = all_lines(me, cpus);
      break;
    case KIND_PAUSE:
      pause();
      break;
    case KIND_SYSTEM_RESET:
      system_reset();
      break;
    }
    barrier();
    c->value = o.value;
    c->status = (u32)o.esr;
  }
  busy = 0;
  barrier();
  MAILBOX->done = MAILBOX->go;
  say(SAY_DONE);
}

static void start_others(u32 cpus) {
  u32 aff0 = MAILBOX->aff0;
  if (current_el() != 3) /* at EL3 nothing is under us that could have held them back */
    for (u32 i = 1; i < cpus; i++) psci(0xc4000003, (u64)(i / aff0) << 8 | i % aff0, (u64)secondary_entry, 0);
  for (u32 i = 1; i < cpus; i++)
    while (!cpu[i].up) yield();
}

void agent_main(u32 me) {
  u32 cpus = MAILBOX->cpus;
  cpu[me].up = 1;
  if (me == 0) {
    start_others(cpus);
    ((volatile u32 *)UART_ADDRESS)[0x30 / 4] = 0x301; /* UARTCR: enabled, both ways */
    MAILBOX->done = MAILBOX->go;
    MAILBOX->pauses = MAILBOX->resume;
    barrier();
    say(SAY_READY);
  }
  for (;;) {
    wait_for_turn(me);
    if (!busy) {
      while (MAILBOX->go == MAILBOX->done) {}
      barrier();
      at = 0;
      busy = 1;
    }
    run(me, cpus);
  }
}
