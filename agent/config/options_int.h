/* options_int.h: shared by the files that read option values. */
#ifndef SLUICE_OPTIONS_INT_H
#define SLUICE_OPTIONS_INT_H

#include "options.h"

/* C size of one value of the row's type, without LIST. */
size_t sl_option__size(const sl_option *row);

/* One value on its way. */
typedef struct sl_option__input {
    const sl_option_context *ctx;
    const sl_option *row;
    const sl_node *node;
    sl_span text; /* the node's, when it is a scalar */
} sl_option__input;

/* Appends the value as a message may show it: in backquotes, or by where it came from. */
void sl_option__write_shown(const sl_option__input *in, sl_buf *out);
/* `x` must be a size, not `12x`. hint: what to do, or NULL. */
void sl_option__refuse_value(const sl_option__input *in, const char *hint);
const char *sl_option__noun(const sl_option *row); /* "a size"; "" for ENUM; static */

/* option_number.c */
void sl_option__read_bool(const sl_option__input *in, void *field);
void sl_option__read_int(const sl_option__input *in, void *field);
void sl_option__read_float(const sl_option__input *in, void *field);
void sl_option__read_size(const sl_option__input *in, void *field);
void sl_option__read_duration(const sl_option__input *in, void *field);
void sl_option__read_fraction(const sl_option__input *in, void *field);
void sl_option__read_enum(const sl_option__input *in, void *field);

/* option_expression.c */
void sl_option__read_path(const sl_option__input *in, void *field);
void sl_option__read_template(const sl_option__input *in, void *field);
void sl_option__read_condition(const sl_option__input *in, void *field);
void sl_option__read_regex(const sl_option__input *in, void *field);

/* option_value.c: one value of a row that is neither GROUP nor INLINE into its field. */
void sl_option__read_value(const sl_option_context *ctx, const sl_option *row, const sl_node *node,
                           void *field);

/* `x` must be a size, not a list. Hides the node when the row holds a secret. */
void sl_option__refuse_type(const sl_option_context *ctx, const sl_option *row, const sl_node *node);

/* Hides the node's source unless it is only a reference (`${…}`). */
void sl_option__hide(const sl_option_context *ctx, const sl_node *node);

#endif
