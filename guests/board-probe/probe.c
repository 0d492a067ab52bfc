/*
 * A guest that says what the board is like from within: how it is started, what PSCI answers, what an access to nothing does.
 * Each finding is a line on the UART: `name: value ...`. It judges nothing; whoever runs it compares.
 */

typedef unsigned long u64;
typedef unsigned int u32;

extern u64 entry_state[64], secondary_state[64], fault_esr, fault_far, fault_resume, to_nowhere[512];
extern void secondary(void);
extern u64 call(u64 *registers, const void *instruction), jump(u64 address), walk(u64 table);
#define STUB(name) extern const char name[];
#define STUBS(x) \
    x(hvc0) x(hvc1) x(smc0) x(load1) x(load2) x(load4) x(load8) x(loads) x(loadp) x(loadx) x(loada) x(loadq) x(loadpost) \
    x(store1) x(store2) x(store4) x(store8) x(storep) x(storel) x(zero) x(clean) x(translate)
STUBS(STUB)

/* The compiler calls these two for arrays. */
void *memset(void *to, int value, u64 length)
{
    for (u64 i = 0; i < length; i++)
        ((volatile char *)to)[i] = (char)value;
    return to;
}

void *memcpy(void *to, const void *from, u64 length)
{
    for (u64 i = 0; i < length; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}

static void put(char character)
{
    *(volatile u32 *)0x09000000 = (u32)character;
}

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

static void line(const char *name, u64 value)
{
    text(name);
    put(':');
    hex(value);
    put('\n');
}

static void state(const char *who, const u64 *state)
{
    static const char *const names[] = {"CurrentEL", "DAIF", "SPSel", "SCTLR", "MPIDR", "CPACR", "CNTKCTL", "TPIDR",
                                        "TTBR0", "VBAR", "CNTV_CTL"};
    for (int i = 0; i < 31; i++) {
        text(who);
        text(i == 29 ? " SP" : " X");
        if (i != 29) {
            if (i >= 10)
                put((char)('0' + i / 10));
            put((char)('0' + i % 10));
        }
        put(':');
        hex(state[i]);
        put('\n');
    }
    for (int i = 0; i < 11; i++) {
        text(who);
        put(' ');
        line(names[i], state[31 + i]);
    }
}

/* What a call leaves in X0, the exception it takes, and registers up to X17 that it changed, each bit by its number. */
static u64 psci(const char *name, const char *instruction, u64 function, u64 x1, u64 x2, u64 x3)
{
    u64 registers[18] = {function, x1, x2, x3}, before[18];
    for (int i = 4; i < 18; i++)
        registers[i] = 0x1111111111111111ul * (u64)(i - 3);
    /* X16 is the stub's own. */
    for (int i = 0; i < 18; i++)
        before[i] = registers[i];
    u64 esr = call(registers, instruction), changed = 0;
    for (int i = 1; i < 18; i++)
        changed |= registers[i] != before[i] ? 1ul << i : 0;
    text(name);
    put(':');
    hex(registers[0]);
    text(" esr");
    hex(esr);
    text(" changed");
    hex(changed);
    put('\n');
    return registers[0];
}

/* One access: its exception, or what it read. Q registers need CPACR_EL1.FPEN, which is not set: that trap comes first. */
static void try(const char *name, const char *instruction, u64 address)
{
    u64 registers[18] = {address};
    u64 esr = call(registers, instruction);
    text(name);
    hex(address);
    text(": esr");
    hex(esr);
    if (esr) {
        text(" far");
        hex(fault_far);
    } else {
        text(" value");
        hex(registers[0] == address ? 0xaddul : registers[0]);
    }
    /* Write-back of the base. */
    if (instruction == loadpost) {
        text(" base");
        hex(registers[0]);
    }
    put('\n');
}

static volatile u64 rounds;

void secondary_main(void)
{
    rounds = rounds + 1;
    asm volatile("dsb sy" ::: "memory");
    u64 registers[18] = {0x84000002};
    call(registers, hvc0);
    for (;;)
        ;
}

static void wait_for(u64 round)
{
    for (u64 i = 0; i < 50000000 && rounds != round; i++)
        asm volatile("yield");
    u64 registers[18];
    for (u64 i = 0; i < 50000000; i++) {
        registers[0] = 0xc4000004, registers[1] = 1, registers[2] = 0;
        call(registers, hvc0);
        if (registers[0] == 1)
            break;
    }
}

static void store(u64 address, u32 value)
{
    *(volatile u32 *)address = value;
}

/* Lets the virtual timer's PPI 27 through to this CPU, which has interrupts masked: it ends a wait and is not taken. */
static void enable_timer(void)
{
    u64 features;
    asm volatile("mrs %0, id_aa64pfr0_el1" : "=r"(features));
    if (features >> 24 & 15) {
        store(0x08000000, 0x12);                /* affinity routing, Group 1 */
        store(0x080a0014, 0);                   /* awake */
        while (*(volatile u32 *)0x080a0014 & 4)
            ;
        store(0x080b0080, ~0u);                 /* Group 1 */
        store(0x080b0100, 1u << 27);
        asm volatile("msr s3_0_c4_c6_0, %0" ::"r"(0xfful));
        asm volatile("msr s3_0_c12_c12_7, %0" ::"r"(1ul));
        asm volatile("isb");
    } else {
        store(0x08000000, 1);
        store(0x08000100, 1u << 27);
        store(0x08010004, 0xff);
        store(0x08010000, 1);
    }
}

static const u64 holes[] = {
    0x00000000, 0x04000000, 0x07fffff8,                         /* flash */
    0x08000000 - 8, 0x08050000, 0x0807fff8,                     /* about the GIC */
    0x09001000, 0x09011000, 0x09020018, 0x09020020, 0x09031000, /* behind devices */
    0x09040000, 0x09050000, 0x09080000, 0x090b0000, 0x0a003ff8, 0x0a004000, 0x0b000000,
    0x0e000000, 0x3f000000 - 0x10000,
};

void probe_main(void)
{
    state("entry", entry_state);
    /* A device tree begins with this word. */
    u64 given = entry_state[0];
    line("tree at X0", given >= 0x40000000 && given < 0x48000000 + 0x400000 ? *(u32 *)given : 0);
    line("tree at the start of memory", *(u32 *)0x40000000 == 0xedfe0dd0);

#define PSCI(call, ...) psci(#call " " #__VA_ARGS__, call, __VA_ARGS__)
    PSCI(hvc0, 0x84000000, 1, 2, 3);
    PSCI(hvc0, 0xdead00084000000, 1, 2, 3);
    PSCI(hvc0, 0xc4000000, 0, 0, 0);
    PSCI(hvc1, 0x84000000, 0, 0, 0);
    PSCI(smc0, 0x84000000, 0, 0, 0);
    PSCI(hvc0, 0x84000006, 0, 0, 0);
    PSCI(hvc0, 0x84000005, 0, 0, 0);
    PSCI(hvc0, 0xc4000005, 0, 0, 0);
    PSCI(hvc0, 0x84000007, 0, 0, 0);
    PSCI(hvc0, 0x84000012, 0, 0, 0);
    PSCI(hvc0, 0x84000014, 0, 0, 0);
    PSCI(hvc0, 0x8400ffff, 0, 0, 0);
    PSCI(hvc0, 0x80000000, 0, 0, 0);
    PSCI(hvc0, 0, 0, 0, 0);
    PSCI(smc0, 0x8400ffff, 0, 0, 0);
    static const u32 functions[] = {0x84000000, 0x84000001, 0xc4000001, 0x84000002, 0xc4000002, 0x84000003, 0xc4000003,
                                    0x84000004, 0xc4000004, 0x84000005, 0xc4000005, 0x84000006, 0x84000007, 0x84000008,
                                    0x84000009, 0x8400000a, 0xc400000a, 0x8400000e, 0x84000012, 0xc4000012, 0x80000000, 0};
    for (u32 i = 0; i < sizeof functions / sizeof *functions; i++) {
        text("features of");
        hex(functions[i]);
        psci("", hvc0, 0x8400000a, functions[i], 0, 0);
    }
    PSCI(hvc0, 0x84000004, 0, 0, 0);
    PSCI(hvc0, 0x84000004, 1, 0, 0);
    PSCI(hvc0, 0xc4000004, 1, 1, 0);
    PSCI(hvc0, 0xc4000004, 1, 3, 0);
    PSCI(hvc0, 0xc4000004, 1, 4, 0);
    PSCI(hvc0, 0xc4000004, 77, 0, 0);
    PSCI(hvc0, 0xc4000004, 77, 1, 0);
    PSCI(hvc0, 0xc4000004, 0x80000001, 0, 0);
    PSCI(hvc0, 0xc4000004, 0x100000001, 0, 0);
    PSCI(hvc0, 0x84000004, 0x100000001, 0, 0);
    PSCI(hvc0, 0xc4000003, 77, (u64)secondary, 0);
    PSCI(hvc0, 0xc4000003, 0, (u64)secondary, 0);
    PSCI(hvc0, 0xc4000003, 1, (u64)secondary, 0x123456789abcdef0);
    wait_for(1);
    state("secondary", secondary_state);
    PSCI(hvc0, 0xc4000004, 1, 0, 0);
    PSCI(hvc0, 0x84000003, 1, (u64)secondary, 0x123456789abcdef0);
    wait_for(2);
    line("context by the 32-bit call", secondary_state[0]);
    enable_timer();
    static const u64 states[] = {0, 1, 0xffff, 0x10000, 0x1010000, 0x3010000, 0x20000, 0x4000000, 0x80000000, 0x100000000};
    for (u32 i = 0; i < sizeof states / sizeof *states; i++) {
        asm volatile("msr cntv_tval_el0, %0" ::"r"(1000ul));
        asm volatile("msr cntv_ctl_el0, %0" ::"r"(1ul));
        text("suspend to");
        hex(states[i]);
        psci("", hvc0, 0xc4000001, states[i], (u64)secondary, 7);
    }
    asm volatile("msr cntv_ctl_el0, %0" ::"r"(0ul));

    for (u32 i = 0; i < sizeof holes / sizeof *holes; i++) {
        try("load4", load4, holes[i]);
        try("load8", load8, holes[i]);
        try("store4", store4, holes[i]);
    }
    u64 hole = 0x08060000;
#define TRY(what) try(#what, what, hole);
    TRY(load1) TRY(load2) TRY(loads) TRY(loadp) TRY(loadx) TRY(loada) TRY(loadq) TRY(loadpost)
    TRY(store1) TRY(store2) TRY(store8) TRY(storep) TRY(storel) TRY(zero) TRY(clean) TRY(translate)
    hole += 1;
    TRY(load1) TRY(load2)
    hole = 0x1000000000;
    TRY(load4) TRY(store4)
    static const u64 nowhere[] = {0, 0x100, 0x08060000, 0x0c000000, 0x1000000000};
    for (u32 i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        text("jump to");
        hex(nowhere[i]);
        jump(nowhere[i]);
        line(": esr", fault_esr);
        line("  far", fault_far);
    }
    line("walk by a table nowhere", walk(0x20000000));
    line("  far", fault_far);
    line("walk by an entry to nowhere", walk((u64)to_nowhere));
    line("  far", fault_far);
    static const u64 words[] = {0x00, 0x04, 0x08, 0x0c, 0x10, 0x34, 0x60, 0x70, 0xfc, 0x100};
    for (u32 i = 0; i < sizeof words / sizeof *words; i++)
        try("empty virtio slot", load4, 0x0a000000 + words[i]);
    /* FIFOs on, at their reset levels; the receive interrupt comes or not with one character, and goes with it. */
    store(0x0900002c, 0x70);
    store(0x09000030, 0x301);
    store(0x09000038, 0x10);
    while (*(volatile u32 *)0x09000018 & 0x10)
        ;
    line("UARTMIS with a character", *(volatile u32 *)0x09000040);
    line("character", *(volatile u32 *)0x09000000);
    line("UARTMIS without", *(volatile u32 *)0x09000040);
    text("end\n");
    PSCI(hvc0, 0x84000008, 0, 0, 0);
}
