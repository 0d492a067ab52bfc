/*
 * Entry, exception vectors, and the instructions that probe.c has breakpoints and watchpoints on, and steps. Runs at EL1 with the MMU
 * off, as it is started.
 */
.section .text.start, "ax"
.global _start
_start:
    adrp x0, stack_top
    add x0, x0, :lo12:stack_top
    mov sp, x0
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    isb
    bl probe_main
    b .

/* Registers to the stack, `caught(frame)`, and back. */
fault:
    stp x0, x1, [sp, #-256]!
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x30, [sp, #144]
    bl caught
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x30, [sp, #144]
    ldp x0, x1, [sp], #256
    eret

.balign 2048
vectors:
.rept 16
    .balign 128
    b fault
.endr

/* Eight instructions for breakpoints. */
.balign 64
.global target
target:
    mov x1, #1
    add x1, x1, #2
    nop
    eor x1, x1, x1
    nop
    add x1, x1, #1
    nop
    ret

.macro stub name:req, code:vararg
.global \name
\name:
    \code
    ret
.endm
stub load1, ldrb w1, [x0]
stub load2, ldrh w1, [x0]
stub load4, ldr w1, [x0]
stub load8, ldr x1, [x0]
stub load16, ldp x1, x2, [x0]
stub load_exclusive, ldxr x1, [x0]
stub load_user, ldtr x1, [x0]
stub store1, strb w0, [x0]
stub store2, strh w0, [x0]
stub store4, str w0, [x0]
stub store8, str x0, [x0]
stub store16, stp x0, x0, [x0]
stub store_release, stlr x0, [x0]

/* void step(u64 spsr): returns to `stepped` with that SPSR and the step bit of MDSCR_EL1 as it is; comes back by ERET from `caught`. */
.global step, stepped, step_end
step:
    msr spsr_el1, x0
    adr x0, stepped
    msr elr_el1, x0
    mov x9, x30
    adrp x10, buffer
    add x10, x10, :lo12:buffer
    eret
stepped:
    nop
    mov x1, #3
1:  subs x1, x1, #1
    b.ne 1b
    ldr x2, [x10]
    bl 2f
    ldxr x2, [x10]
    str x2, [x10, #8]
    svc #5
    mrs x3, daif
    msr daifset, #8
    nop
    msr daifclr, #8
    nop
    nop
    hint #0
step_end:
    mov x30, x9
    ret
2:  ret

.data
.balign 64
.global buffer
buffer: .fill 512, 1, 0
.balign 4096
stack: .fill 8192, 1, 0
stack_top:
