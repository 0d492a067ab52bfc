/* Runs a list of one-instruction test cases on bare metal and powers off. Assembled copy: qemu.ts.
   Case (1024 bytes): V0-V31 at 0, X0-X15 at 512, FPCR at 640, FPSR at 648, NZCV at 656, ESR_EL1 (result) at 664.
   Header at 0x40400000: u32 count. Cases from 0x41000000; code (instruction, ret) from 0x40800000, 8 bytes each. */
.text
.global _start
_start:
    msr daifset, #0xf
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    adr x0, vectors
    msr vbar_el1, x0
    isb
    mov x19, #0x40400000
    ldr w22, [x19]
    mov x20, #0x41000000
    mov x21, #0x40800000
next:
    cbz w22, finished
    mov x28, #0
    add x23, x20, #512
    .irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
    ldr q\n, [x20, #(\n * 16)]
    .endr
    .irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
    ldr q\n, [x20, #(\n * 16)]
    .endr
    ldr x24, [x20, #640]
    msr fpcr, x24
    ldr x24, [x20, #648]
    msr fpsr, x24
    ldr x24, [x20, #656]
    msr nzcv, x24
    ldp x0, x1, [x23, #0]
    ldp x2, x3, [x23, #16]
    ldp x4, x5, [x23, #32]
    ldp x6, x7, [x23, #48]
    ldp x8, x9, [x23, #64]
    ldp x10, x11, [x23, #80]
    ldp x12, x13, [x23, #96]
    ldp x14, x15, [x23, #112]
    blr x21
    stp x0, x1, [x23, #0]
    stp x2, x3, [x23, #16]
    stp x4, x5, [x23, #32]
    stp x6, x7, [x23, #48]
    stp x8, x9, [x23, #64]
    stp x10, x11, [x23, #80]
    stp x12, x13, [x23, #96]
    stp x14, x15, [x23, #112]
    mrs x24, nzcv
    str x24, [x20, #656]
    mrs x24, fpsr
    str x24, [x20, #648]
    mrs x24, fpcr
    str x24, [x20, #640]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    str q\n, [x20, #(\n * 16)]
    .endr
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    str q\n, [x20, #(\n * 16)]
    .endr
    str x28, [x20, #664]
    add x20, x20, #1024
    add x21, x21, #8
    sub w22, w22, #1
    b next
finished:
    mov w0, #1
    str w0, [x19, #4]
    dsb sy
    movz w0, #0x8400, lsl #16
    movk w0, #0x0008
    hvc #0
    b .
    .balign 2048
vectors:
    .rept 16
    .balign 128
    mrs x28, esr_el1
    mrs x26, elr_el1
    add x26, x26, #4
    msr elr_el1, x26
    eret
    .endr
