/* conf_docs.h: the whole configuration, described from the option rows and the registry. */
#ifndef SLUICE_CONF_DOCS_H
#define SLUICE_CONF_DOCS_H

#include <sluice/plugin.h>

/* Appends the JSON schema (draft 2020-12) of a configuration with every plugin there is, indented, with a
 * last line break. */
void sl_conf_docs_write_schema(sl_buf *out);
/* Appends conf/REFERENCE.md. */
void sl_conf_docs_write_reference(sl_buf *out);
/* Appends one line a plugin: kind, name, help. */
void sl_conf_docs_print_plugins(sl_buf *out);
/* Appends what a plugin does and its options, for a terminal of `width` columns. */
void sl_conf_docs_print_plugin(sl_buf *out, const sl_plugin *plugin, unsigned width);

#endif
