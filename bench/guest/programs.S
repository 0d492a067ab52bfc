// The guests of `npm run bench:machine`: bare-metal loops at EL1 with the MMU on, x19 counting down to SYSTEM_OFF. Assembled
// once for each program (PROGRAM) and interrupt controller (GIC) by build.mjs, which fills programs.ts; no build needs it.

        .equ GICD, 0x08000000
        .equ GICC, 0x08010000
        .equ GICR, 0x080a0000
        .equ TABLE, 0x40200000
        .equ BUFFER, 0x40300000
        .equ IDLE, 0
        .equ ALU, 1
        .equ MEMORY, 2
        .equ CALL, 3
        .equ UART_READ, 4
        .equ GIC_READ, 5
        .equ EOI, 6
        .equ SELF, 7
        .equ IPI, 8
        .equ TIMER, 9

// The count stands in the first two words, for whoever wants another.
start:  movz x19, #0xffff
        movk x19, #0xffff, lsl #16
        b boot

.macro set reg, value
        movz \reg, #(\value & 0xffff)
        movk \reg, #(\value >> 16), lsl #16
.endm

.macro acknowledge to
.if GIC == 2
        ldr w\to, [x22, #0xc]
.else
        mrs x\to, s3_0_c12_c12_0
.endif
.endm

.macro end_of from
.if GIC == 2
        str w\from, [x22, #0x10]
.else
        msr s3_0_c12_c12_1, x\from
.endif
.endm

.macro send from
.if GIC == 2
        str w\from, [x21, #0xf00]
.else
        msr s3_0_c12_c11_5, x\from
.endif
.endm

        .balign 2048
vectors: .fill 0x280 / 4, 4, 0x14000000
irq:    acknowledge 4
        msr cntv_tval_el0, x6
        isb
        end_of 4
        add x20, x20, #1
        eret
        .balign 128

// An identity map: the first GiB as Device-nGnRnE, the second as Normal memory, Write-Back.
mmu:    set x0, TABLE
        movz x1, #0x401
        set x2, 0x40000705
        stp x1, x2, [x0]
        dsb sy
        movz x1, #0xff00
        msr mair_el1, x1
        set x1, 0x00803519
        msr tcr_el1, x1
        msr ttbr0_el1, x0
        isb
        tlbi vmalle1
        dsb sy
        isb
        mrs x1, sctlr_el1
        movz x2, #0x1005
        orr x1, x1, x2
        msr sctlr_el1, x1
        isb
        ret

interface:
        movz w1, #0xf0
.if GIC == 2
        str w1, [x22, #4]
        movz w1, #1
        str w1, [x22]
        movz w1, #0xffff
        movk w1, #0x0800, lsl #16
        str w1, [x21, #0x100]
.else
        movz x2, #7
        msr s3_0_c12_c12_5, x2
        isb
        msr s3_0_c4_c6_0, x1
        movz x1, #1
        msr s3_0_c12_c12_7, x1
.endif
        isb
        ret

boot:   bl mmu
        set x21, GICD
        set x22, GICC
        adr x0, vectors
        msr vbar_el1, x0
.if GIC == 2
        movz w0, #1
        str w0, [x21]
.else
        movz w0, #0x12
        str w0, [x21]
        set x1, GICR
        movz w3, #2
redist: str wzr, [x1, #0x14]
        add x2, x1, #0x10, lsl #12
        movn w0, #0
        str w0, [x2, #0x80]
        movz w0, #0xffff
        movk w0, #0x0800, lsl #16
        str w0, [x2, #0x100]
.if PROGRAM == IPI
        add x1, x1, #0x20, lsl #12
        subs w3, w3, #1
        b.ne redist
.endif
.endif
        bl interface
        set x23, 0x09000000
        set x24, BUFFER
        movz x20, #0
        movz x1, #0

.if PROGRAM == IDLE
loop:   .rept 8
        nop
        .endr
.endif
.if PROGRAM == ALU
loop:   add x0, x0, x1
        eor x1, x1, x0, lsl #3
        sub x2, x2, x1
        and x3, x2, #0xff
        orr x4, x3, x0
        ror x5, x4, #7
        add w6, w5, w2
        ubfx x0, x6, #3, #20
.endif
.if PROGRAM == MEMORY
loop:   ldr x0, [x24, x1]
        ldr w2, [x24, #8]
        add x3, x24, x1
        str x0, [x3, #16]
        ldp x4, x5, [x3, #32]
        strb w2, [x3, #64]
        str w5, [x3, #96]
        add x1, x1, #72
        and x1, x1, #0xfff8
.endif
.if PROGRAM == CALL
loop:   bl first
        add x0, x0, #1
        bl second
.endif
.if PROGRAM == UART_READ
loop:   .rept 8
        ldr w0, [x23, #0x18]
        .endr
.endif
.if PROGRAM == GIC_READ
loop:   .rept 8
.if GIC == 2
        ldr w0, [x21, #0]
.else
        mrs x0, s3_0_c4_c6_0
.endif
        .endr
.endif
.if PROGRAM == EOI
        movz x4, #40
loop:   .rept 8
        end_of 4
        .endr
.endif
.if PROGRAM == SELF
.if GIC == 2
        set x5, 0x02000003
.else
        set x5, 0x03000001
.endif
loop:   .rept 8
        send 5
        acknowledge 4
        end_of 4
        .endr
.endif
.if PROGRAM == IPI
        set x0, 0xc4000003
        movz x1, #1
        adr x2, second_cpu
        movz x3, #0
        hvc #0
.if GIC == 2
        set x5, 0x00020001
.else
        set x5, 0x01000002
.endif
loop:   send 5
wait:   wfi
        acknowledge 4
        and w6, w4, #0x3ff
        cmp w6, #1020
        b.hs wait
        end_of 4
        add x20, x20, #1
.endif
.if PROGRAM == TIMER
        movz x0, #1
        msr cntv_ctl_el0, x0
        set x6, 0x7fffffff
        msr cntv_tval_el0, x6
        movz x7, #0
        msr daifclr, #2
// Waits for the handler's count: a WFI here would sleep past an interrupt that is taken before it.
loop:   msr cntv_tval_el0, xzr
taken:  cmp x20, x7
        b.eq taken
        mov x7, x20
.endif
        subs x19, x19, #1
        b.ne loop
        set x0, 0x84000008
        hvc #0
        b .

first:  add x2, x2, #1
        ret
second: eor x3, x3, x2
        add x3, x3, #1
        ret

.if PROGRAM == IPI
second_cpu:
        bl mmu
        set x21, GICD
        set x22, GICC
        bl interface
.if GIC == 2
        set x5, 0x00010001
.else
        set x5, 0x01000001
.endif
answer: wfi
        acknowledge 4
        and w6, w4, #0x3ff
        cmp w6, #1020
        b.hs answer
        end_of 4
        send 5
        b answer
.endif
