/* Both GIC architectures behind one face. Interrupts of GICv3 are Non-secure Group 1; with a GICv2 they stay in Group 0. */
#include "guest.h"

#define SGI_BASE 0x10000

static uintptr_t redistributor(unsigned cpu) {
  uint64_t mpidr = board.affinity[cpu];
  for (uintptr_t at = GICR;; at += 0x20000) {
    uint64_t typer = read64(at + 8);
    if ((typer >> 32) == ((mpidr >> 8 & 0xff000000) | (mpidr & 0xffffff))) return at;
    if (typer & 0x10) return 0;
  }
}

/* The frame that has an interrupt's bits. */
static uintptr_t frame(unsigned cpu, unsigned intid) {
  return board.gic == 3 && intid < 32 ? redistributor(cpu) + SGI_BASE : GICD;
}

void gic_init(void) {
  if (board.gic == 2) {
    write32(GICD, 1);
    return;
  }
  write32(GICD, 0x10); /* ARE first, then the groups */
  while (read32(GICD) >> 31) {
  }
  write32(GICD, 0x12);
}

void gic_init_cpu(unsigned cpu) {
  if (board.gic == 2) {
    write32(GICC + 4, 0xf0);
    write32(GICC, 1);
    return;
  }
  uintptr_t rd = redistributor(cpu);
  write32(rd + 0x14, read32(rd + 0x14) & ~2u);
  while (read32(rd + 0x14) & 4) {
  }
  write32(rd + SGI_BASE + 0x80, ~0u);
  MSR(S3_0_C12_C12_5, MRS(S3_0_C12_C12_5) | 1); /* ICC_SRE_EL1 */
  MSR(S3_0_C4_C6_0, 0xf0);                      /* ICC_PMR_EL1 */
  MSR(S3_0_C12_C12_7, 1);                       /* ICC_IGRPEN1_EL1 */
}

void gic_enable(unsigned cpu, unsigned intid, unsigned priority) {
  uintptr_t at = frame(cpu, intid);
  if (board.gic == 3 && intid >= 32) write32(at + 0x80 + 4 * (intid / 32), read32(at + 0x80 + 4 * (intid / 32)) | 1u << (intid % 32));
  write8(at + 0x400 + intid, priority);
  if (intid >= 32) gic_route(intid, cpu);
  write32(at + 0x100 + 4 * (intid / 32), 1u << (intid % 32));
  barrier();
}

void gic_route(unsigned intid, unsigned cpu) {
  if (board.gic == 3)
    write64(GICD + 0x6000 + 8 * intid, (board.affinity[cpu] & 0xffffff) | (board.affinity[cpu] & 0xff00000000ul));
  else
    write8(GICD + 0x800 + intid, 1u << cpu);
}

void gic_make_edge(unsigned intid) {
  uintptr_t at = GICD + 0xc00 + 4 * (intid / 16);
  write32(at, read32(at) | 2u << (intid % 16 * 2));
}

void gic_make_pending(unsigned intid) { write32(GICD + 0x200 + 4 * (intid / 32), 1u << (intid % 32)); }

void gic_send(unsigned from, unsigned to, unsigned intid) {
  (void)from;
  barrier();
  if (board.gic == 2) {
    write32(GICD + 0xf00, 1u << (16 + to) | intid);
    return;
  }
  uint64_t a = board.affinity[to];
  uint64_t value = (a & 0xff0000) << 16 | (a & 0xff00) << 8 | (uint64_t)intid << 24 | 1ul << (a & 15);
  MSR(S3_0_C12_C11_5, value); /* ICC_SGI1R_EL1 */
}

uint32_t gic_acknowledge(void) {
  if (board.gic == 2) return read32(GICC + 0xc);
  uint32_t value = MRS(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */
  barrier();
  return value;
}

void gic_end(uint32_t acknowledged) {
  if (board.gic == 2)
    write32(GICC + 0x10, acknowledged);
  else
    MSR(S3_0_C12_C12_1, acknowledged); /* ICC_EOIR1_EL1 */
}
