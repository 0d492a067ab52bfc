/* Runs test cases on bare metal at EL1 with the MMU on, and powers off by PSCI. Assembled copy: agent.ts.
   Header at 0x41000000: u64 count, and at 24 the bits of SCTLR_EL1 to set besides M, C and I (A, SA). Page table (level 1, 39-bit) at 0x41001000.
   Cases at 0x42000000, 2048 bytes each: X0-X30 at 0, SP 248, V0-V31 256, NZCV 768, FPCR 776, FPSR 784; results ESR 792, FAR 800,
   ELR 808, SPSR 816; memory window of the case at 1024. Code of a case: 64 bytes at 0x46000000 + 64 n, entered at + 32.
   A case ends with whatever exception it takes: its code is followed by BRK. TPIDR_EL1 points to the case. */
.text
.global _start
_start:
    msr daifset, #0xf
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    adr x0, vectors
    msr vbar_el1, x0
    movz x0, #0x4100, lsl #16
    add x0, x0, #0x1000
    msr ttbr0_el1, x0
    movz x0, #0xff44
    msr mair_el1, x0
    ldr x0, tcr
    msr tcr_el1, x0
    tlbi vmalle1
    dsb sy
    isb
    mrs x0, sctlr_el1
    orr x0, x0, #1
    orr x0, x0, #4
    orr x0, x0, #(1 << 12)
    bic x0, x0, #2
    bic x0, x0, #8
    movz x1, #0x4100, lsl #16
    ldr x1, [x1, #24]
    orr x0, x0, x1
    msr sctlr_el1, x0
    isb
    movz x0, #0x4200, lsl #16
    msr tpidr_el1, x0
    movz x1, #0x4100, lsl #16
    ldr x2, [x1]
    str x2, [x1, #8]
    movz x3, #0x4600, lsl #16
    str x3, [x1, #16]
next:
    movz x1, #0x4100, lsl #16
    ldr x2, [x1, #8]
    cbz x2, finished
    sub x2, x2, #1
    str x2, [x1, #8]
    ldr x3, [x1, #16]
    add x4, x3, #64
    str x4, [x1, #16]
    add x3, x3, #32
    msr tpidrro_el0, x3
    mrs x0, tpidr_el1
    ldr x1, [x0, #768]
    msr nzcv, x1
    ldr x1, [x0, #776]
    msr fpcr, x1
    ldr x1, [x0, #784]
    msr fpsr, x1
    ldr x1, [x0, #248]
    mov sp, x1
    add x1, x0, #256
    .irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
    ldr q\n, [x1, #(\n * 16)]
    .endr
    .irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
    ldr q\n, [x1, #(\n * 16)]
    .endr
    /* The jump needs a register, so X30 is loaded by the first instruction of the case: see the stub below. */
    mrs x30, tpidrro_el0
    sub x30, x30, #8
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
    ldr x\n, [x0, #(\n * 8)]
    .endr
    /* Two instructions before the entry: ldr x30, [x0, #240]; ldr x0, [x0]. */
    br x30

    .balign 2048
vectors:
    .org vectors + 0x200
    msr tpidr_el0, x0
    mrs x0, tpidr_el1
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    str x\n, [x0, #(\n * 8)]
    .endr
    b save
    .org vectors + 0x400
    msr tpidr_el0, x0
    mrs x0, tpidr_el1
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    str x\n, [x0, #(\n * 8)]
    .endr
    b save
    .org vectors + 0x800
save:
    mrs x1, tpidr_el0
    str x1, [x0]
    mov x1, sp
    str x1, [x0, #248]
    mrs x1, nzcv
    str x1, [x0, #768]
    mrs x1, fpcr
    str x1, [x0, #776]
    mrs x1, fpsr
    str x1, [x0, #784]
    mrs x1, esr_el1
    str x1, [x0, #792]
    mrs x1, far_el1
    str x1, [x0, #800]
    mrs x1, elr_el1
    str x1, [x0, #808]
    mrs x1, spsr_el1
    str x1, [x0, #816]
    msr far_el1, xzr
    clrex
    add x1, x0, #256
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    str q\n, [x1, #(\n * 16)]
    .endr
    add x0, x0, #2048
    msr tpidr_el1, x0
    b next
finished:
    movz x0, #0x8400, lsl #16
    movk x0, #8
    hvc #0
    b .
    .balign 8
tcr:
    .quad 0x0000000200803519
