/* options_int.h: shared by the files that read option values. */
#ifndef SLUICE_OPTIONS_INT_H
#define SLUICE_OPTIONS_INT_H

#include "options.h"

/* C size of one value of the row's type, without LIST. */
size_t sl_option__size(const sl_option *row);

/* option_value.c: one value of a row that is neither GROUP nor INLINE into its field. */
void sl_option__read_value(const sl_option_context *ctx, const sl_option *row, const sl_node *node,
                           void *field);

/* `x` must be a size, not a list. Hides the node when the row holds a secret. */
void sl_option__refuse_type(const sl_option_context *ctx, const sl_option *row, const sl_node *node);

/* Hides the node's source unless it is only a reference (`${…}`). */
void sl_option__hide(const sl_option_context *ctx, const sl_node *node);

#endif
