/* schema.h: what option rows say, for editors and for people: JSON schema, reference and terminal. */
#ifndef SLUICE_CONFIG_SCHEMA_H
#define SLUICE_CONFIG_SCHEMA_H

#include <sluice/option.h>

/* Appends the JSON schema (draft 2020-12) of a map whose options are those of all tables together. A value
 * may also be given as `${…}`. It refers to the definitions of sl_schema_write_definitions(). */
void sl_schema_write_options(sl_buf *out, const sl_option *const *tables, size_t count);
/* Appends the members that belong into "$defs", without braces. */
void sl_schema_write_definitions(sl_buf *out);
/* Appends the options as rows of a Markdown table, with its head: option, type, default, meaning. Options of
 * groups read `tls.verify`, those of lists of groups `rules[].name`. */
void sl_reference_write_options(sl_buf *out, const sl_option *const *tables, size_t count);
/* Appends the options for a terminal, two lines or more each, wrapped at `width` columns. */
void sl_options_print(sl_buf *out, const sl_option *const *tables, size_t count, unsigned width);

#endif
