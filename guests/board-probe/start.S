/*
 * Entry, exception vectors, and the instructions that probe.c wants tried. Runs at EL1 with the MMU off, as it is started.
 */
.section .text.start, "ax"
.global _start
_start:
    /* What the machine started us with, before anything is changed. */
    adrp x29, entry_state
    add x29, x29, :lo12:entry_state
    b save

.global secondary
secondary:
    adrp x29, secondary_state
    add x29, x29, :lo12:secondary_state

/* x0 to x28 and x30 at the index of their number, SP at that of x29. */
save:
    stp x0, x1, [x29]
    stp x2, x3, [x29, #16]
    stp x4, x5, [x29, #32]
    stp x6, x7, [x29, #48]
    stp x8, x9, [x29, #64]
    stp x10, x11, [x29, #80]
    stp x12, x13, [x29, #96]
    stp x14, x15, [x29, #112]
    stp x16, x17, [x29, #128]
    stp x18, x19, [x29, #144]
    stp x20, x21, [x29, #160]
    stp x22, x23, [x29, #176]
    stp x24, x25, [x29, #192]
    stp x26, x27, [x29, #208]
    mov x1, sp
    stp x28, x1, [x29, #224]
    mrs x1, CurrentEL
    mrs x2, daif
    stp x30, x1, [x29, #240]
    mrs x3, spsel
    stp x2, x3, [x29, #256]
    mrs x1, sctlr_el1
    mrs x2, mpidr_el1
    stp x1, x2, [x29, #272]
    mrs x1, cpacr_el1
    mrs x2, cntkctl_el1
    stp x1, x2, [x29, #288]
    mrs x1, tpidr_el1
    mrs x2, ttbr0_el1
    stp x1, x2, [x29, #304]
    mrs x1, vbar_el1
    mrs x2, cntv_ctl_el0
    stp x1, x2, [x29, #320]

    adrp x1, vectors
    add x1, x1, :lo12:vectors
    msr vbar_el1, x1
    isb
    adrp x1, entry_state
    add x1, x1, :lo12:entry_state
    cmp x1, x29
    adrp x1, stacks
    add x1, x1, :lo12:stacks
    add x2, x1, #4096
    add x3, x2, #4096
    csel x1, x2, x3, eq
    mov sp, x1
    b.ne 1f
    bl probe_main
    b .
1:  bl secondary_main
    b .

/* u64 call(u64 regs[18], const void *instruction): loads x0 to x17, runs HVC or SMC and RET, and stores them. Returns ESR, or 0. */
.global call
call:
    stp x29, x30, [sp, #-32]!
    stp x19, x20, [sp, #16]
    mov x19, x0
    mov x20, x1
    adrp x1, fault_esr
    str xzr, [x1, :lo12:fault_esr]
    ldp x0, x1, [x19]
    ldp x2, x3, [x19, #16]
    ldp x4, x5, [x19, #32]
    ldp x6, x7, [x19, #48]
    ldp x8, x9, [x19, #64]
    ldp x10, x11, [x19, #80]
    ldp x12, x13, [x19, #96]
    ldp x14, x15, [x19, #112]
    ldp x16, x17, [x19, #128]
    blr x20
    stp x0, x1, [x19]
    stp x2, x3, [x19, #16]
    stp x4, x5, [x19, #32]
    stp x6, x7, [x19, #48]
    stp x8, x9, [x19, #64]
    stp x10, x11, [x19, #80]
    stp x12, x13, [x19, #96]
    stp x14, x15, [x19, #112]
    stp x16, x17, [x19, #128]
    adrp x1, fault_esr
    ldr x0, [x1, :lo12:fault_esr]
    ldp x19, x20, [sp, #16]
    ldp x29, x30, [sp], #32
    ret

.macro stub name:req, code:vararg
.global \name
\name:
    \code
    ret
.endm
stub hvc0, hvc #0
stub hvc1, hvc #1
stub smc0, smc #0
stub load1, ldrb w0, [x0]
stub load2, ldrh w0, [x0]
stub load4, ldr w0, [x0]
stub load8, ldr x0, [x0]
stub loads, ldrsw x0, [x0]
stub loadp, ldp x0, x1, [x0]
stub loadx, ldxr x0, [x0]
stub loada, ldar w0, [x0]
stub loadq, ldr q0, [x0]
stub loadpost, ldr x2, [x0], #8
stub store1, strb w1, [x0]
stub store2, strh w1, [x0]
stub store4, str w1, [x0]
stub store8, str x1, [x0]
stub storep, stp x1, x1, [x0]
stub storel, stlr w1, [x0]
stub zero, dc zva, x0
stub clean, dc cvac, x0
stub translate, at s1e1r, x0

/* u64 jump(u64 address): branches there; a fault comes back here. Returns ESR. */
.global jump
jump:
    adrp x1, fault_esr
    str xzr, [x1, :lo12:fault_esr]
    adrp x1, fault_resume
    str x30, [x1, :lo12:fault_resume]
    mov x2, x0
    br x2

/* u64 walk(u64 table): a load through the MMU with the translation table there. Returns ESR. */
.global walk
walk:
    mov x3, x30
    adrp x1, fault_esr
    str xzr, [x1, :lo12:fault_esr]
    adr x2, 1f
    adrp x1, fault_resume
    str x2, [x1, :lo12:fault_resume]
    msr ttbr1_el1, x0
    ldr x0, =0xb5193519             /* both ranges 4 KiB granule, 39 bits, write-back */
    msr tcr_el1, x0
    adrp x0, identity
    add x0, x0, :lo12:identity
    msr ttbr0_el1, x0
    mov x0, #0xff04
    msr mair_el1, x0
    isb
    tlbi vmalle1
    dsb sy
    isb
    mrs x0, sctlr_el1
    orr x0, x0, #1
    msr sctlr_el1, x0
    isb
    mov x0, #0xffffff8000000000
    ldr x0, [x0]
1:  mrs x0, sctlr_el1
    bic x0, x0, #1
    msr sctlr_el1, x0
    isb
    adrp x1, fault_resume
    str xzr, [x1, :lo12:fault_resume]
    adrp x1, fault_esr
    ldr x0, [x1, :lo12:fault_esr]
    ret x3

.balign 2048
vectors:
.rept 16
    .balign 128
    b fault
.endr

/* Keeps ESR, FAR and PAR, and goes on behind the instruction, or at fault_resume. */
fault:
    stp x0, x1, [sp, #-16]!
    adrp x0, fault_esr
    add x0, x0, :lo12:fault_esr
    mrs x1, esr_el1
    str x1, [x0]
    mrs x1, far_el1
    str x1, [x0, #8]
    ldr x1, [x0, #16]
    str xzr, [x0, #16]
    cbnz x1, 1f
    mrs x1, elr_el1
    add x1, x1, #4
1:  msr elr_el1, x1
    ldp x0, x1, [sp], #16
    eret

.data
.balign 16
.global fault_esr, fault_far, fault_resume, entry_state, secondary_state
fault_esr: .quad 0
fault_far: .quad 0
fault_resume: .quad 0
.balign 16
entry_state: .fill 64, 8, 0
secondary_state: .fill 64, 8, 0
.balign 4096
identity: .quad 0x00000401, 0x40000705
.fill 510, 8, 0
/* A table whose first entry points to a table where nothing is. */
.global to_nowhere
to_nowhere: .quad 0x20000003
.fill 511, 8, 0
.balign 4096
stacks: .fill 8192, 1, 0
