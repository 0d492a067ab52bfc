/* Entry of every CPU at EL1, and the exception vectors. The file starts as an arm64 Image, so that boot loaders take it. */

.section .text.start, "ax"
.global _start
.global secondary_entry
_start:
    b primary
    .word 0
    .quad 0                     /* text_offset */
    .quad _end - _start         /* image_size */
    .quad 0xa                   /* little-endian, 4 KiB pages, anywhere */
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .word 0

primary:
    mov x19, #0                 /* this CPU's number */
    mov x20, x0                 /* the device tree */
    b common

secondary_entry:                /* x0 is the number: CPU_ON's context */
    mov x19, x0
    mov x20, #0

common:
    msr daifset, #0xf
    adrp x1, stacks
    add x1, x1, :lo12:stacks
    add x2, x19, #1
    add x1, x1, x2, lsl #11
    mov sp, x1
    msr tpidr_el1, x19
    adrp x1, vectors
    add x1, x1, :lo12:vectors
    msr vbar_el1, x1
    isb
    cbnz x19, 1f
    mov x0, x20
    bl main
1:  mov x0, x19
    bl secondary_main
2:  wfi
    b 2b

/* Each vector of 128 bytes: an interrupt from EL1 is served, anything else is told and ends the run. */
.macro other number
    .balign 128
    mov x0, #\number
    mrs x1, esr_el1
    mrs x2, elr_el1
    mrs x3, far_el1
    b unexpected
.endm

.balign 2048
vectors:
    other 0
    other 1
    other 2
    other 3
    other 4
    .balign 128
    b interrupt
    other 6
    other 7
    other 8
    other 9
    other 10
    other 11
    other 12
    other 13
    other 14
    other 15

interrupt:
    sub sp, sp, #192
    stp x0, x1, [sp]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x30, [sp, #144]
    mrs x0, elr_el1
    mrs x1, spsr_el1
    stp x0, x1, [sp, #160]
    bl take_interrupt
    ldp x0, x1, [sp, #160]
    msr elr_el1, x0
    msr spsr_el1, x1
    ldp x0, x1, [sp]
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x30, [sp, #144]
    add sp, sp, #192
    eret
