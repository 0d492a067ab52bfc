/*
 * A tour of the machine's interrupts, told on the UART: every CPU is switched on by PSCI, and takes its timer's interrupt, one
 * from a neighbour, one from the UART, one that is a message. Then it leaves three that never arrive, for the monitor's `why`.
 */
#include "guest.h"

uint8_t stacks[MAX_CPUS][2048] __attribute__((aligned(16)));
void secondary_entry(void);

static struct {
  volatile uint32_t up, ticks, pings, pongs, messages, keys, spurious, last;
} cpu_state[MAX_CPUS];

static volatile const char *sending;
static volatile unsigned sent_by_interrupt;
static volatile char key;

static unsigned self(void) { return MRS(tpidr_el1); }
static uint64_t now(void) { return MRS(cntvct_el0); }

static int64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c) {
  register uint64_t x0 __asm__("x0") = function;
  register uint64_t x1 __asm__("x1") = a;
  register uint64_t x2 __asm__("x2") = b;
  register uint64_t x3 __asm__("x3") = c;
  __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory", "x4", "x5", "x6", "x7");
  return x0;
}

void unexpected(uint64_t vector, uint64_t syndrome, uint64_t address, uint64_t fault) {
  print("CPU %u: unexpected exception %u, ESR 0x%x, ELR 0x%x, FAR 0x%x\n", (uint64_t)self(), vector, syndrome, address, fault);
  psci(0x84000009, 0, 0, 0); /* SYSTEM_RESET: not how a good run ends */
  for (;;) wait_for_interrupt();
}

static void tick_in(unsigned milliseconds) {
  MSR(cntv_tval_el0, MRS(cntfrq_el0) / 1000 * milliseconds);
  MSR(cntv_ctl_el0, 1);
}

/* The transmit interrupt is asserted as the FIFO empties past its level; what is left goes in then. */
static void serve_uart(unsigned cpu) {
  uint32_t status = read32(UART + 0x40);
  write32(UART + 0x44, status);
  while (!(read32(UART + 0x18) & 0x10)) {
    key = read32(UART);
    cpu_state[cpu].keys++;
  }
  if (!(status & 0x20) || !sending) return;
  sent_by_interrupt++;
  for (unsigned i = 0; i < 8 && *sending; i++) write32(UART, *sending++);
  if (!*sending) {
    sending = 0;
    write32(UART + 0x38, 0x50);
  }
}

void take_interrupt(void) {
  unsigned cpu = self();
  uint32_t acknowledged = gic_acknowledge();
  uint32_t intid = acknowledged & (board.gic == 2 ? 0x3ff : 0xffffff);
  if (intid >= 1020 && intid < 1024) {
    cpu_state[cpu].spurious++;
    return;
  }
  cpu_state[cpu].last = intid;
  if (intid == PPI_VTIMER) {
    MSR(cntv_ctl_el0, 0);
    if (++cpu_state[cpu].ticks < 5) tick_in(2);
  } else if (intid == SGI_PING) {
    cpu_state[cpu].pings++;
    gic_send(cpu, (cpu + 1) % board.cpus, cpu + 1 == board.cpus ? SGI_PONG : SGI_PING);
  } else if (intid == SGI_PONG)
    cpu_state[cpu].pongs++;
  else if (intid == SPI_UART)
    serve_uart(cpu);
  else if (intid == SPI_MESSAGE || intid == LPI_MESSAGE)
    cpu_state[cpu].messages++;
  gic_end(acknowledged);
}

static void prepare(unsigned cpu) {
  gic_init_cpu(cpu);
  gic_enable(cpu, SGI_PING, 0x80);
  gic_enable(cpu, SGI_PONG, 0x80);
  gic_enable(cpu, PPI_VTIMER, 0x60);
}

void secondary_main(unsigned cpu) {
  prepare(cpu);
  cpu_state[cpu].up = 1;
  tick_in(2);
  unmask();
  for (;;) wait_for_interrupt();
}

/* Waits for a value to get there, at most a second; 0 when it did not. */
static int reaches(volatile uint32_t *value, uint32_t wanted) {
  uint64_t end = now() + MRS(cntfrq_el0);
  while (*value < wanted)
    if (now() > end) return 0;
  return 1;
}

static unsigned failures;
static void result(int good) {
  if (!good) failures++;
  print(good ? ": ok\n" : ": NOT SEEN\n");
}

static void switch_on(void) {
  for (unsigned cpu = 1; cpu < board.cpus; cpu++) {
    int64_t error = psci(0xc4000003, board.affinity[cpu], (uintptr_t)secondary_entry, cpu);
    print("PSCI CPU_ON    CPU %u at affinity 0x%x", (uint64_t)cpu, board.affinity[cpu]);
    result(error == 0 && reaches(&cpu_state[cpu].up, 1));
  }
}

static void timers(void) {
  tick_in(2);
  for (unsigned cpu = 0; cpu < board.cpus; cpu++) {
    print("PPI %u         virtual timer of CPU %u, 5 times", (uint64_t)PPI_VTIMER, (uint64_t)cpu);
    result(reaches(&cpu_state[cpu].ticks, 5));
  }
}

static void ring(void) {
  for (unsigned round = 1; round <= 3; round++) {
    gic_send(0, board.cpus == 1 ? 0 : 1, board.cpus == 1 ? SGI_PONG : SGI_PING);
    print("SGI %u, %u       round %u from CPU to CPU and back", (uint64_t)SGI_PING, (uint64_t)SGI_PONG, (uint64_t)round);
    result(reaches(&cpu_state[0].pongs, round));
  }
}

static void uart(void) {
  gic_enable(0, SPI_UART, 0xa0);
  mask();
  sending = "SPI 33         this line came out piece by piece, at the UART's own interrupts";
  write32(UART + 0x34, 0);
  write32(UART + 0x38, 0x70);
  for (unsigned i = 0; i < 8; i++) write32(UART, *sending++);
  unmask();
  uint64_t end = now() + MRS(cntfrq_el0);
  while (sending && now() < end) {
  }
  int good = !sending && sent_by_interrupt > 0;
  if (sending)
    while (*sending) put(*sending++);
  sending = 0;
  result(good);
}

static void messages(void) {
  if (board.gic == 3 && !board.its) {
    print("message        this board has none: it needs a GICv2m frame or an ITS\n");
    return;
  }
  if (board.its) {
    its_init(0);
    its_message();
    print("LPI %u       message of device 0, event 0, through the ITS", (uint64_t)LPI_MESSAGE);
  } else {
    gic_make_edge(SPI_MESSAGE);
    gic_enable(0, SPI_MESSAGE, 0xa0);
    write32(V2M + 0x40, SPI_MESSAGE);
    print("SPI %u         message to the GICv2m frame", (uint64_t)SPI_MESSAGE);
  }
  result(reaches(&cpu_state[0].messages, 1));
}

/* Three interrupts that stay pending, each for another reason. */
static void stuck(void) {
  gic_enable(0, 45, 0xf0);
  gic_enable(0, 46, 0xa0);
  if (board.gic == 2)
    write8(GICD + 0x800 + 46, 0);
  else
    write32(GICD + 0x80 + 4, read32(GICD + 0x80 + 4) & ~(1u << 14));
  for (unsigned intid = 44; intid < 47; intid++) gic_make_pending(intid);
  print("SPI 44, 45, 46 are pending and never come, each for a reason of its own: ask the monitor 'why 44'\n");
}

void main(const void *tree) {
  read_tree(tree);
  write32(UART + 0x30, 0x301);
  write32(UART + 0x2c, 0x70);
  print("\nvgic's own guest: %u CPU(s), GICv%u%s, at EL%u\n", (uint64_t)board.cpus, (uint64_t)board.gic,
        board.its ? " with an ITS" : "", MRS(CurrentEL) >> 2);
  gic_init();
  prepare(0);
  unmask();
  switch_on();
  timers();
  ring();
  uart();
  messages();
  stuck();
  if (failures) print("%u of these did not happen\n", (uint64_t)failures);
  if (board.stay) {
    print("Keys come by SPI 33; q switches the machine off.\n");
    while (key != 'q') {
      wait_for_interrupt();
      if (key && key != 'q') {
        print("key 0x%x, taken by CPU 0\n", (uint64_t)(uint8_t)key);
        key = 0;
      }
    }
  }
  print("switching off\n");
  psci(failures ? 0x84000009 : 0x84000008, 0, 0, 0);
  for (;;) wait_for_interrupt();
}
