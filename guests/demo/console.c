/* Characters out through the UART without its interrupt, and the little of printf that the guest needs: %s %u %x. */
#include <stdarg.h>
#include "guest.h"

void put(char c) {
  while (read32(UART + 0x18) & 0x20) {
  }
  write32(UART, (uint8_t)c);
}

static void put_number(uint64_t value, unsigned base) {
  char digits[20];
  unsigned count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  while (count) put(digits[--count]);
}

void print(const char *format, ...) {
  va_list args;
  va_start(args, format);
  for (; *format; format++) {
    if (*format == '\n') put('\r');
    if (*format != '%') {
      put(*format);
      continue;
    }
    switch (*++format) {
    case 's':
      for (const char *s = va_arg(args, const char *); *s; s++) put(*s);
      break;
    case 'u':
      put_number(va_arg(args, uint64_t), 10);
      break;
    case 'x':
      put_number(va_arg(args, uint64_t), 16);
      break;
    }
  }
  va_end(args);
}
