/* aws_ini.h: the format of AWS's shared files: sections, properties, comments. Pure.
 *
 * Source: "Shared config and credentials files", AWS SDKs and Tools Reference Guide (file-format.html). Lines that
 * are neither are left out, as AWS's own tools do.
 */
#ifndef SLUICE_AWS_INI_H
#define SLUICE_AWS_INI_H

#include <sluice/base.h>

/* A section by its type and name: "[profile a]" is {"profile", "a"}, "[a]" is {"", "a"}. */
typedef struct sl_aws_section {
    const char *type;
    sl_span name;
} sl_aws_section;

bool sl_aws_ini_has(sl_span text, const sl_aws_section *section);
/* The value of a property: the last one in all sections of that name; lines below it that are indented belong to
 * it and are not given. Empty: there is none. Points into text. */
sl_span sl_aws_ini_get(sl_span text, const sl_aws_section *section, const char *key);

#endif
