/*
 * A guest that sets breakpoints and watchpoints and steps itself, many times at random, and says what came of each: count of exceptions,
 * syndrome, addresses. A line a finding on the UART. It judges nothing; whoever runs it compares.
 */

typedef unsigned long u64;
typedef unsigned int u32;

extern const char target[], stepped[], step_end[];
extern char buffer[512];
extern void step(u64 spsr);

#define READ(name) ({ u64 value_; __asm__ volatile("mrs %0, " #name : "=r"(value_)); value_; })
#define WRITE(name, value) __asm__ volatile("msr " #name ", %0\n\tisb" ::"r"((u64)(value)) : "memory")

static void put(char character) { *(volatile u32 *)0x09000000 = (u32)character; }

static void text(const char *string)
{
    while (*string)
        put(*string++);
}

static void hex(u64 value)
{
    text(" 0x");
    int shift = 60;
    while (shift > 0 && !(value >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put("0123456789abcdef"[(value >> shift) & 15]);
}

/* What the handler saw; relative addresses, so that nothing depends on where the compiler puts code. */
static struct { u64 count, esr, far, elr, log[64]; } seen;
static u64 steps;

#define SS (1ul << 21)

void caught(void)
{
    u64 esr = READ(esr_el1), elr = READ(elr_el1), spsr = READ(spsr_el1), class = esr >> 26;
    if (seen.count == 0) {
        seen.esr = esr;
        seen.far = READ(far_el1);
        seen.elr = elr;
    }
    if (class == 0x33) {
        if (seen.count < 64)
            seen.log[seen.count] = (elr - (u64)stepped) << 32 | (esr & 0x3ffffff);
        if (--steps == 0 || elr == (u64)step_end) {
            WRITE(mdscr_el1, READ(mdscr_el1) & ~1ul);
            spsr &= ~SS;
        } else
            spsr |= SS;
        WRITE(spsr_el1, spsr);
    } else {
        if (seen.count < 64)
            seen.log[seen.count] = (elr - (u64)stepped) << 32 | class;
        /* Breakpoints and watchpoints: go on without any. Anything else: behind the instruction, SVC is there already. */
        WRITE(mdscr_el1, READ(mdscr_el1) & ~(1ul << 15));
        if (class != 0x31 && class != 0x35 && class != 0x15)
            WRITE(elr_el1, elr + 4);
    }
    seen.count++;
}

static u64 state = 0x9e3779b97f4a7c15;

static u64 below(u64 limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % limit;
}

static void begin(const char *name, u64 number)
{
    text(name);
    hex(number);
    put(':');
    seen.count = 0;
    seen.esr = seen.far = seen.elr = 0;
}

static void masks(void)
{
    static const u64 patterns[] = {~0ul & ~1ul, 0, 0x5555555555555554, 0xaaaaaaaaaaaaaaaa};
#define MASK(name, keep) \
    for (int i = 0; i < 4; i++) { \
        WRITE(name, patterns[i]); \
        begin(#name, patterns[i]); \
        hex(READ(name) & (keep)); \
        put('\n'); \
    } \
    WRITE(name, 0);
    MASK(dbgbvr0_el1, ~0ul) MASK(dbgbvr5_el1, ~0ul) MASK(dbgwvr0_el1, ~0ul) MASK(dbgwvr3_el1, ~0ul)
    MASK(dbgbcr0_el1, ~0ul) MASK(dbgbcr5_el1, ~0ul) MASK(dbgwcr0_el1, ~0ul) MASK(dbgwcr3_el1, ~0ul)
}

/* A debug state of the PE: MDE and KDE mostly on, D mostly off. */
static u64 enables(void)
{
    u64 mdscr = (below(8) ? 1ul << 15 : 0) | (below(8) ? 1ul << 13 : 0);
    WRITE(mdscr_el1, mdscr);
    if (below(8))
        __asm__ volatile("msr daifclr, #8");
    else
        __asm__ volatile("msr daifset, #8");
    u64 locked = below(12) == 0;
    WRITE(oslar_el1, locked);
    return mdscr | (READ(daif) & 0x200) << 7 | locked;
}

static void disable(void)
{
    WRITE(mdscr_el1, 0);
    WRITE(oslar_el1, 0);
    __asm__ volatile("msr daifset, #8");
}

static void breakpoints(u64 number)
{
    u64 at = below(8), control = 1 | below(4) << 1 | 0xf << 5;
    WRITE(dbgbvr2_el1, (u64)target + 4 * at);
    WRITE(dbgbcr2_el1, control);
    begin("breakpoint", number);
    hex(at);
    hex(control);
    hex(enables());
    ((void (*)(void))target)();
    disable();
    WRITE(dbgbcr2_el1, 0);
    hex(seen.count);
    if (seen.count) {
        hex(seen.esr);
        hex(seen.elr - (u64)target);
    }
    put('\n');
}

#define STUBS(x) \
    x(load1, 1) x(load2, 2) x(load4, 4) x(load8, 8) x(load16, 16) x(load_exclusive, 8) x(load_user, 8) x(store1, 1) x(store2, 2) \
    x(store4, 4) x(store8, 8) x(store16, 16) x(store_release, 8)
#define STUB(name, size) extern void name(char *address);
STUBS(STUB)
static const struct { void (*run)(char *); u64 size; } accesses[] = {
#define ENTRY(name, size) {name, size},
    STUBS(ENTRY)};

static void watchpoints(u64 number)
{
    u64 kind = below(sizeof accesses / sizeof accesses[0]);
    u64 size = accesses[kind].size, step = size > 8 ? 8 : size;
    u64 offset = 64 + below(64 / step) * step;
    u64 control = 1 | below(4) << 1 | below(4) << 3, where;
    if (below(3)) {
        u64 first = below(8), count = 1 + below(8 - first);
        control |= ((1ul << count) - 1) << first << 5;
        where = 64 + 8 * below(8);
    } else {
        u64 mask = 3 + below(4);
        control |= 0xff << 5 | mask << 24;
        where = (64 + below(64)) & ~((1ul << mask) - 1);
    }
    WRITE(dbgwvr1_el1, (u64)buffer + where);
    WRITE(dbgwcr1_el1, control);
    begin("watchpoint", number);
    hex(kind);
    hex(offset);
    hex(where);
    hex(control);
    hex(enables());
    accesses[kind].run(buffer + offset);
    disable();
    WRITE(dbgwcr1_el1, 0);
    hex(seen.count);
    if (seen.count) {
        hex(seen.esr);
        hex(seen.elr - (u64)accesses[kind].run);
        hex(seen.far - (u64)buffer);
    }
    put('\n');
}

static void stepping(u64 number)
{
    steps = 1 + number;
    begin("step", number);
    WRITE(mdscr_el1, 1 | (number % 8 == 7 ? 0 : 1ul << 13) | (number & 2 ? 1ul << 15 : 0));
    step(0x3c5 - 0x200 + (number & 4 ? 0x200 : 0) + (number & 8 ? 0 : SS));
    disable();
    hex(seen.count);
    for (u64 i = 0; i < seen.count && i < 64; i++)
        hex(seen.log[i]);
    put('\n');
}

void probe_main(void)
{
    WRITE(oslar_el1, 0);
    masks();
    for (u64 i = 0; i < 300; i++)
        breakpoints(i);
    for (u64 i = 0; i < 1500; i++)
        watchpoints(i);
    for (u64 i = 0; i < 64; i++)
        stepping(i);
    text("end: 0x0\n");
    __asm__ volatile("mov x0, %0\n\thvc #0" ::"r"(0x84000008ul) : "x0");
    for (;;) {}
}
