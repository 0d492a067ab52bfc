/* One device with one event, translated by the ITS to one LPI of CPU 0. All tables are in the guest's own memory. */
#include "guest.h"

#define PAGE 65536
static uint8_t commands[PAGE] __attribute__((aligned(PAGE)));
static uint8_t tables[2][PAGE] __attribute__((aligned(PAGE)));
static uint8_t translations[PAGE] __attribute__((aligned(PAGE)));
static uint8_t configuration[PAGE] __attribute__((aligned(PAGE)));
static uint8_t pending[PAGE] __attribute__((aligned(PAGE)));
static unsigned written;

static void command(uint64_t a, uint64_t b, uint64_t c) {
  volatile uint64_t *slot = (volatile uint64_t *)(commands + written);
  slot[0] = a;
  slot[1] = b;
  slot[2] = c;
  slot[3] = 0;
  written += 32;
}

static void run_commands(void) {
  barrier();
  write64(ITS + 0x88, written);
  while (read64(ITS + 0x90) != written) {
  }
}

void its_init(unsigned cpu) {
  (void)cpu;
  /* LPIs 8192 and up: an enabled one with priority 0xa0. */
  configuration[0] = 0xa1;
  write64(GICR + 0x70, (uintptr_t)configuration | 13);
  write64(GICR + 0x78, (uintptr_t)pending | 1ul << 62);
  write32(GICR, read32(GICR) | 1);
  for (unsigned i = 0, next = 0; i < 8; i++) {
    uint64_t baser = read64(ITS + 0x100 + 8 * i);
    unsigned type = baser >> 56 & 7;
    if ((type != 1 && type != 4) || next == 2) continue;
    /* Valid, flat, one page of 64 KiB. */
    write64(ITS + 0x100 + 8 * i, 1ul << 63 | (baser & (0x71ful << 48)) | (uintptr_t)tables[next++] | 2u << 8);
  }
  write64(ITS + 0x80, 1ul << 63 | (uintptr_t)commands | 15);
  write64(ITS + 0x88, 0);
  write32(ITS, 1);
  uint64_t target = read64(ITS + 8) >> 19 & 1 ? GICR : 0;
  command(0x08, 0, (uintptr_t)translations | 1ul << 63);        /* MAPD: device 0, events of 1 bit */
  command(0x09, 0, target | 1ul << 63);                         /* MAPC: collection 0 is CPU 0 */
  command(0x0a, (uint64_t)LPI_MESSAGE << 32, 0);                /* MAPTI: event 0 of it is the LPI */
  command(0x0c, 0, 0);                                          /* INV: read the configuration */
  command(0x05, 0, target);                                     /* SYNC */
  run_commands();
}

/* What a device's message does: INT, as a command. */
void its_message(void) {
  command(0x03, 0, 0);
  run_commands();
}
