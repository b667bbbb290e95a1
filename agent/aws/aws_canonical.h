/* aws_canonical.h: the one spelling of a path, a query and headers that both sides of a signature agree on.
 * Pure; appends. Source: see sigv4.h. */
#ifndef SLUICE_AWS_CANONICAL_H
#define SLUICE_AWS_CANONICAL_H

#include <sluice/http.h>

/* Every byte but the unreserved characters of RFC 3986 (and `/` where keep_slash) as %XX. */
void sl_aws_uri_encode(sl_buf *out, sl_span text, bool keep_slash);
/* path: as sent, "" for "/". Segments `.` and `..` and empty ones are resolved (RFC 3986, 5.2.4) and what was
 * encoded for the wire is encoded once more. as_is (S3): neither. */
void sl_aws_canonical_path(sl_buf *out, sl_span path, bool as_is);
/* query: as sent, without the `?`. Sorted by encoded name, then value; `name` becomes `name=`. */
void sl_aws_canonical_query(sl_buf *out, sl_span query);
/* One line a name, in lower case, sorted; values trimmed, runs of white space one space, those of the same name
 * joined by commas in the order given. names: as "a;b;c". */
void sl_aws_canonical_headers(sl_buf *out, sl_buf *names, const sl_http_header *headers, size_t count);

#endif
