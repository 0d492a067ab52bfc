// A kernel whose timer does not fire: it programs the virtual timer, and enables another timer's interrupt in the GIC. The
// README's first example, for vgic's `why`.

#define UART 0x09000000
#define GICD 0x08000000
#define GICC 0x08010000

.macro say text
	adr	x1, \text
	bl	print
.endm

	.text
	.global	_start
_start:
	// The Image's header (Documentation/arch/arm64/booting.rst).
	b	start
	.word	0
	.quad	0
	.quad	_end - _start
	.quad	8
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0

start:
	adr	x0, stack
	mov	sp, x0
	adr	x0, vectors
	msr	vbar_el1, x0
	say	hello

	// The GIC: Group 0 on, all priorities, and the timer's PPI. This is the mistake: 30 is the physical timer.
	ldr	x0, =GICD
	mov	w1, #1
	str	w1, [x0]
	mov	w1, #1 << 30
	str	w1, [x0, #0x100]
	ldr	x0, =GICC
	mov	w1, #0xff
	str	w1, [x0, #4]
	mov	w1, #1
	str	w1, [x0]

	// The virtual timer: a tick in 10 ms.
	mrs	x0, cntfrq_el0
	mov	x1, #100
	udiv	x0, x0, x1
	msr	cntv_tval_el0, x0
	mov	x0, #1
	msr	cntv_ctl_el0, x0
	msr	daifclr, #2
	say	waiting
1:	wfi
	b	1b

print:
	ldr	x2, =UART
2:	ldrb	w0, [x1], #1
	cbz	w0, 3f
	str	w0, [x2]
	b	2b
3:	ret

tick:
	say	ticked
4:	wfi
	b	4b

hello:	.asciz "tiny kernel: starting the timer\n"
waiting: .asciz "tiny kernel: waiting for the first tick\n"
ticked:	.asciz "tiny kernel: tick\n"

	.balign	2048
vectors:
	.rept	16
	.balign	128
	b	tick
	.endr
	.ltorg
	.balign	16
	.space	1024
stack:
_end:
