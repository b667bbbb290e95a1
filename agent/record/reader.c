/* reader.c: one record at a time for conditions and templates. */
#include "base/utf8.h"
#include "record_int.h"

void sl_reader_set(sl_reader *reader, sl_batch *batch, sl_record *rec)
{
    reader->batch = batch;
    reader->rec = rec;
    reader->tok = NULL;
    if (reader->scratch.block) sl_arena_clear(&reader->scratch);
}

void sl_reader_release(sl_reader *reader)
{
    sl_tape_release(&reader->tape);
    sl_arena_release(&reader->scratch);
    *reader = (sl_reader){0};
}

static bool need_tokens(sl_reader *reader)
{
    if (reader->tok) return true;
    if (!reader->batch->sealed) {
        reader->tok = sl_record_tokens(reader->batch, reader->rec, &reader->count);
    } else {
        reader->tape.len = 0;
        sl_json_result res = sl_json_index(&reader->tape, sl_record__text(reader->rec));
        if (res.error == SL_JSON_OK) {
            reader->tok = reader->tape.tok;
            reader->count = res.tokens;
        }
    }
    return reader->tok != NULL;
}

/* Room that lasts until the next sl_reader_set(). 0 bytes: NULL is right. */
static bool make_room(sl_reader *reader, size_t len, char **room)
{
    *room = len ? sl_arena_try_alloc(&reader->scratch, len) : NULL;
    return *room || len == 0;
}

static bool repair_line(sl_reader *reader, sl_span line, sl_span *out)
{
    sl_buf repaired = SL_BUF_NONE;
    char *room = NULL;
    if (sl_buf_try_reserve(&repaired, 3 * line.len) == 0) {
        sl_utf8_repair(&repaired, line);
        room = sl_arena_try_alloc(&reader->scratch, repaired.len);
        if (room) memcpy(room, repaired.ptr, repaired.len);
    }
    *out = (sl_span){room, repaired.len};
    sl_buf_release(&repaired);
    return room != NULL;
}

/* The text of a line as it will read when it is wrapped. */
static bool line_value(sl_reader *reader, sl_value *out)
{
    sl_span line = sl_record__text(reader->rec);
    *out = (sl_value){.type = SL_JSON_STRING, .text = line};
    return sl_utf8_is_valid(line) || repair_line(reader, line, &out->text);
}

/* A field of a line that is still one: what sl_record_tokens() would make of it, without making it. */
static bool get_from_line(sl_reader *reader, const sl_path *path, sl_value *out)
{
    static const sl_token no_members = {.type = SL_JSON_OBJECT, .next = 1};
    sl_span name = path->steps[0].key;
    if (sl_span_is(name, SL_NAME_MESSAGE)) return path->count == 1 && line_value(reader, out);
    if ((reader->rec->flags & SL_RECORD_TRUNCATED) && sl_span_is(name, SL_NAME_TRUNCATED)) {
        *out = (sl_value){.type = SL_JSON_TRUE, .text = SL_SPAN("true")};
        return path->count == 1;
    }
    sl_record joined = *reader->rec;
    joined.flags |= SL_RECORD_TIME;
    sl_found found;
    char *room;
    if (!sl_record__find(reader->batch, &joined, &no_members, path, &found)) return false;
    if (!make_room(reader, sl_found__room(&found), &room)) return false;
    *out = sl_found__value(&found, &joined, room);
    return true;
}

bool sl_reader_get(sl_reader *reader, const sl_path *path, sl_value *out)
{
    if (reader->rec->flags & SL_RECORD_RAW) return get_from_line(reader, path, out);
    sl_found found;
    char *room;
    if (!need_tokens(reader)) return false;
    if (!sl_record__find(reader->batch, reader->rec, reader->tok, path, &found)) return false;
    if (!make_room(reader, sl_found__room(&found), &room)) return false;
    *out = sl_found__value(&found, reader->rec, room);
    return true;
}
