/* Planted secrets: what redaction must find. Each is written at the pen and noted in the canary file, if any,
 * one a line, spelled as planted, so that a search for it anywhere behind the agent shows a leak. All are
 * made up: the card numbers only have a right check digit, the keys open nothing. Private to corpus/. */
#ifndef CORPUS_SECRET_H
#define CORPUS_SECRET_H

#include "corpus_pen.h"

/* A signed JSON Web Token (RFC 7519): a header, {"sub","tenant","iat","exp"} and 256 bits of signature. */
void secret_jwt(corpus_pen *pen);

/* `len` characters, at least 8: of base64url for API keys and session ids, of hex for passwords and tokens.
 */
void secret_base64url(corpus_pen *pen, size_t len);
void secret_hex(corpus_pen *pen, size_t len);

/* A card number of 15 or 16 digits with a right Luhn digit (ISO/IEC 7812-1), plain or in groups of four
 * parted by blanks or dashes. */
void secret_card(corpus_pen *pen);

/* first.last<number>@domain, made from the words given. */
void secret_email(corpus_pen *pen, const corpus_word *first, const corpus_word *last);

#endif
