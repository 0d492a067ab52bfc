/* What the parts of the guest know of each other. */
#pragma once
#include <stdint.h>

#define MAX_CPUS 64

/* INTIDs of QEMU's 'virt' board. */
#define SGI_PING 1
#define SGI_PONG 2
#define PPI_VTIMER 27
#define SPI_UART 33
#define SPI_MESSAGE 80
#define LPI_MESSAGE 8192

#define UART 0x09000000ul
#define GICD 0x08000000ul
#define GICC 0x08010000ul
#define V2M 0x08020000ul
#define ITS 0x08080000ul
#define GICR 0x080a0000ul

static inline void write32(uintptr_t address, uint32_t value) { *(volatile uint32_t *)address = value; }
static inline uint32_t read32(uintptr_t address) { return *(volatile uint32_t *)address; }
static inline void write64(uintptr_t address, uint64_t value) { *(volatile uint64_t *)address = value; }
static inline uint64_t read64(uintptr_t address) { return *(volatile uint64_t *)address; }
static inline void write8(uintptr_t address, uint8_t value) { *(volatile uint8_t *)address = value; }

#define STRINGIFY(x) #x
#define MRS(name) ({ uint64_t value_; __asm__ volatile("mrs %0, " STRINGIFY(name) : "=r"(value_)::"memory"); value_; })
#define MSR(name, value) __asm__ volatile("msr " STRINGIFY(name) ", %0\n\tisb" ::"r"((uint64_t)(value)) : "memory")
static inline void barrier(void) { __asm__ volatile("dsb sy\n\tisb" ::: "memory"); }
static inline void unmask(void) { __asm__ volatile("msr daifclr, #2" ::: "memory"); }
static inline void mask(void) { __asm__ volatile("msr daifset, #2" ::: "memory"); }
static inline void wait_for_interrupt(void) { __asm__ volatile("dsb sy\n\twfi" ::: "memory"); }

/* What the device tree says. */
struct board {
  unsigned cpus;
  uint64_t affinity[MAX_CPUS];
  int gic;  /* 2 or 3 */
  int its;
  int stay; /* do not power off at the end */
};
extern struct board board;
void read_tree(const void *tree);

/* gic.c: one face for both architectures. */
void gic_init(void);
void gic_init_cpu(unsigned cpu);
void gic_enable(unsigned cpu, unsigned intid, unsigned priority);
void gic_send(unsigned from, unsigned to, unsigned intid);
uint32_t gic_acknowledge(void);
void gic_end(uint32_t acknowledged);
void gic_make_edge(unsigned intid);
void gic_make_pending(unsigned intid);
void gic_route(unsigned intid, unsigned cpu);

/* its.c: a message of a device becomes an LPI. */
void its_init(unsigned cpu);
void its_init_cpu0_lpis(void);
void its_message(void);

/* console.c */
void put(char c);
void print(const char *format, ...);
