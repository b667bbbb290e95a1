/* yaml_int.h: shared by the files that make a tree of YAML. */
#ifndef SLUICE_YAML_INT_H
#define SLUICE_YAML_INT_H

#include "problems.h"
#include <yaml.h>

/* yaml_errors.c: the parser's error as a problem of the file, in our words and with advice. */
void sl_yaml__report(const yaml_parser_t *parser, const char *file, sl_problems *problems);

/* yaml_names.c: names, each with a number. The texts are not copied. Zeroed is empty. */
typedef struct sl_yaml__name {
    sl_span text;
    uint64_t hash;
    uint32_t number;
    bool used;
} sl_yaml__name;

typedef struct sl_yaml__names {
    sl_yaml__name *slot;
    uint32_t slots, count; /* slots: 0 or a power of two */
} sl_yaml__names;

bool sl_yaml__names_find(const sl_yaml__names *names, sl_span name, uint32_t *number);
void sl_yaml__names_set(sl_yaml__names *names, sl_span name,
                        uint32_t number); /* in place of an earlier one */
void sl_yaml__names_release(sl_yaml__names *names);

#endif
