/* The device tree, as far as the guest needs it: CPUs, the kind of GIC, whether there is an ITS, and the command line. */
#include "guest.h"

struct board board;

static uint32_t big(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static int starts(const char *text, const char *with) {
  while (*with)
    if (*text++ != *with++) return 0;
  return 1;
}

static int contains(const char *text, uint32_t length, const char *what) {
  for (uint32_t i = 0; i < length; i++)
    if (starts(text + i, what)) return 1;
  return 0;
}

static uint32_t length_of(const char *text) {
  uint32_t length = 0;
  while (text[length]) length++;
  return length;
}

void read_tree(const void *tree) {
  const uint8_t *base = tree;
  board.cpus = 1;
  board.gic = 2;
  /* QEMU leaves the tree at the beginning of the memory for what is no Linux. */
  if (!base || big(base) != 0xd00dfeed) base = (const uint8_t *)0x40000000;
  if (big(base) != 0xd00dfeed) return;
  const uint8_t *at = base + big(base + 8);
  const char *strings = (const char *)base + big(base + 12);
  unsigned found = 0;
  int in_cpu = 0;
  for (;;) {
    uint32_t token = big(at);
    at += 4;
    if (token == 1) {
      in_cpu = starts((const char *)at, "cpu@");
      at += (length_of((const char *)at) + 4) & ~3u;
    } else if (token == 3) {
      uint32_t length = big(at);
      const char *name = strings + big(at + 4);
      const char *value = (const char *)at + 8;
      if (in_cpu && same(name, "reg") && found < MAX_CPUS) board.affinity[found++] = big(at + 8 + length - 4);
      if (same(name, "compatible") && same(value, "arm,gic-v3")) board.gic = 3;
      if (same(name, "compatible") && same(value, "arm,gic-v3-its")) board.its = 1;
      if (same(name, "bootargs") && contains(value, length, "stay")) board.stay = 1;
      at += 8 + ((length + 3) & ~3u);
    } else if (token == 9)
      break;
  }
  if (found) board.cpus = found;
}
