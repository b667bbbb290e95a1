/* yaml_int.h: shared by the two files that know libyaml. */
#ifndef SLUICE_YAML_INT_H
#define SLUICE_YAML_INT_H

#include "problems.h"
#include <yaml.h>

/* yaml_errors.c: the parser's error as a problem of the file, in our words and with advice. */
void sl_yaml__report(const yaml_parser_t *parser, const char *file, sl_problems *problems);

#endif
