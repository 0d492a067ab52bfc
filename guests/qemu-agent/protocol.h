/*
 * What the agent and its host agree on: where the commands lie, and what they are.
 * Not a description of any machine but QEMU's 'virt'. The host's half is src/conformance/qemu/protocol.ts.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#define MAILBOX_ADDRESS 0x42000000
#define MAILBOX_AFF0 4 /* offset of mailbox.aff0 */
#define COMMANDS_ADDRESS 0x42010000
#define UART_ADDRESS 0x09000000
#define MAX_CPUS 32

/* A command's status, beside 0 and the ESR of a fault: an interrupt was taken to EL3 instead, and nothing was accessed. */
#define STATUS_TAKEN 0xfc000000

/* Characters on the UART, to wake the host. */
#define SAY_READY 'R'   /* every CPU is up */
#define SAY_DONE 'D'    /* a batch is done */
#define SAY_PAUSE 'P'   /* waiting for mailbox.resume */
#define SAY_BROKEN 'X'  /* a fault outside an access: the agent is lost */

#endif
