/*
 * Entry, exception vectors and the faulting access. Runs at the EL it is started at: EL1, EL2, or EL3 (where it also
 * lends a stub to EL1). Takes no interrupt, and has no stack outside agent.c.
 */
#include "protocol.h"

.section .text.start, "ax"
.global _start
.global secondary_entry
_start:
secondary_entry:
    msr daifset, #0xf
    mrs x19, mpidr_el1
    and x20, x19, #0xff         /* 'virt' packs 8 or 16 CPUs into an Aff0 group; ours are simply numbered */
    ubfx x21, x19, #8, #8
    ldr x1, =MAILBOX_ADDRESS
    ldr w1, [x1, #MAILBOX_AFF0]
    madd x19, x21, x1, x20      /* x19 = this CPU's number */

    adrp x1, stacks
    add x1, x1, :lo12:stacks
    add x2, x19, #1
    add x1, x1, x2, lsl #11
    mov sp, x1

    adrp x1, vectors
    add x1, x1, :lo12:vectors
    mrs x3, CurrentEL
    cmp x3, #(2 << 2)
    b.lo at_el1
    b.eq at_el2

at_el3:
    msr vbar_el3, x1
    msr vbar_el1, x1            /* for stubs lent to EL1 */
    mov x4, #0x430              /* RES1 and RW. IRQ and FIQ not routed here: ISR_EL1 then shows the lines themselves */
    msr scr_el3, x4
    mov x4, #(1 << 31)          /* RW, where there is an EL2; RES0 elsewhere */
    msr hcr_el2, x4
    adrp x4, translation_table
    msr ttbr0_el3, x4
    mov x4, #0xff04             /* attribute 0: Device-nGnRE, 1: Normal write-back */
    msr mair_el3, x4
    ldr x4, =0x80800019         /* RES1; 4 KiB granule; 39-bit addresses */
    msr tcr_el3, x4
    isb
    tlbi alle3
    dsb sy
    isb
    mrs x4, sctlr_el3
    orr x4, x4, #1
    msr sctlr_el3, x4
    isb
    b enter

at_el2:
    msr vbar_el2, x1
    mrs x4, hcr_el2
    orr x4, x4, #(3 << 3)       /* FMO and IMO: ISR_EL1 and ICC_* are then the physical ones */
    msr hcr_el2, x4
    isb
    b enter

at_el1:
    msr vbar_el1, x1
    isb

enter:
    mov x0, x19
    bl agent_main
1:  b 1b

/*
 * struct outcome access(u64 x0, const void *stub, u64 value): runs a stub of stubs.S, which is one instruction that
 * uses x0 and x2, and a RET. Returns what it left in x0, and in x1 the ESR of a fault, or 0.
 */
.text
.global access
access:
    mov x16, x1
    mov x1, #0
    br x16

/*
 * struct outcome access_el3(u64 x0, const void *stub, u64 value, u64 scr): the same at EL3 under another SCR_EL3.
 */
.global access_el3
access_el3:
    mov x16, x1
    mov x1, #0
    mov x17, x30
    mrs x9, scr_el3
    msr scr_el3, x3
    isb
    blr x16
    msr scr_el3, x9
    isb
    br x17

/*
 * struct outcome access_el1(u64 x0, const void *stub, u64 value, u64 scr): the same at EL1, in the Security state
 * that `scr` selects. EL3 only. EL1 comes back with an SMC, which `vectors` turns into a jump to `back_at_el3`; or with an
 * interrupt that `scr` routes to EL3, which nothing masks there.
 */
.global access_el1
access_el1:
    mov x16, x1
    mov x1, #0
    mov x17, x30
    mrs x9, scr_el3
    msr scr_el3, x3
    adr x10, on_loan
    msr elr_el3, x10
    mov x10, #0x3c5             /* EL1h, everything masked */
    msr spsr_el3, x10
    isb
    eret
on_loan:
    blr x16
    isb
    smc #0
back_at_el3:
    msr scr_el3, x9
    isb
    br x17

.balign 2048
vectors:
.rept 9
    .balign 128
    b fault
.endr
.rept 2                         /* IRQ and FIQ from a lower EL: of a stub on loan, the only code there */
    .balign 128
    b taken
.endr
.rept 5
    .balign 128
    b fault
.endr

/* An interrupt at EL1. Either the stub has not begun, and will not, or it is through: its access is not undone. */
taken:
    mrs x13, elr_el3
    adr x14, on_loan
    cmp x13, x14
    ccmp x13, x16, #4, ne
    b.ne back_at_el3
    mov x0, #0
    mov x1, #STATUS_TAKEN
    b back_at_el3

/* A fault of a stub: x0 = 0, x1 = ESR, and on with the next instruction. x9, x10, x16, x17 belong to access_el1. */
fault:
    mrs x11, CurrentEL
    cmp x11, #(2 << 2)
    b.lo 1f
    b.eq 2f
    mrs x12, esr_el3
    mrs x13, elr_el3
    lsr x14, x12, #26
    cmp x14, #0x17              /* SMC from AArch64: the stub at EL1 is through */
    b.ne 3f
    adr x13, back_at_el3
    msr elr_el3, x13
    mov x13, #0x3cd             /* EL3h */
    msr spsr_el3, x13
    eret
1:  mrs x12, esr_el1
    mrs x13, elr_el1
    b 3f
2:  mrs x12, esr_el2
    mrs x13, elr_el2
3:  adr x14, stubs
    cmp x13, x14
    b.lo broken
    adr x14, stubs_end
    cmp x13, x14
    b.hs broken
    mov x0, #0
    mov x1, x12
    add x13, x13, #4
    cmp x11, #(2 << 2)
    b.lo 4f
    b.eq 5f
    msr elr_el3, x13
    eret
4:  msr elr_el1, x13
    eret
5:  msr elr_el2, x13
    eret

/* A fault that no stub made is a mistake in the agent; tell the host and stop. */
broken:
    ldr x14, =UART_ADDRESS
    mov w15, #SAY_BROKEN
    str w15, [x14]
    b .

.data
.balign 4096
translation_table:              /* 1 GiB blocks; used at EL3 only */
    .quad 0x00000000 | 0x401            /* 0 GiB: devices, as Secure accesses */
    .quad 0x40000000 | 0x705            /* 1 GiB: RAM */
    .quad 0, 0
    .quad 0x00000000 | 0x421            /* 4 GiB: the same devices, as Non-secure accesses */
    .fill 507, 8, 0

.bss
.balign 4096
stacks: .space 2048 * MAX_CPUS
