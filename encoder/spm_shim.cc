/* spm_shim.cc - see spm_shim.h. */
#include "encoder/spm_shim.h"

#include <sentencepiece_processor.h>

#include <cstdio>
#include <new>

#include "ks.h"

namespace sentencepiece {
namespace logging {
/* exported by the library, not in its public header */
void SetMinLogLevel(int v) __attribute__((weak));
} // namespace logging
} // namespace sentencepiece

struct ks_spm {
    sentencepiece::SentencePieceProcessor processor;
};

static int ks_spm_say(char *why, size_t room, int err, const char *what)
{
    std::snprintf(why, room, "%s", what);
    return err;
}

extern "C" int ks_spm_open(ks_spm **out, const void *data, size_t bytes, char *why, size_t room)
{
    *out = nullptr;
    try {
        if (sentencepiece::logging::SetMinLogLevel) sentencepiece::logging::SetMinLogLevel(3);
        ks_spm *spm = new ks_spm;
        const auto status = spm->processor.LoadFromSerializedProto(
            {static_cast<const char *>(data), bytes});
        if (status.ok()) {
            *out = spm;
            return 0;
        }
        delete spm;
        return ks_spm_say(why, room, KS_EFORMAT, status.error_message());
    } catch (const std::bad_alloc &) {
        return ks_spm_say(why, room, KS_ENOMEM, "no memory");
    } catch (const std::exception &x) {
        return ks_spm_say(why, room, KS_EFORMAT, x.what());
    } catch (...) {
        return ks_spm_say(why, room, KS_EFORMAT, "it cannot be loaded");
    }
}

extern "C" void ks_spm_close(ks_spm *spm) { delete spm; }

extern "C" int ks_spm_pieces(const ks_spm *spm) { return spm->processor.GetPieceSize(); }

extern "C" int ks_spm_bos(const ks_spm *spm) { return spm->processor.bos_id(); }

extern "C" int ks_spm_encode(ks_spm_tokens *out, const ks_spm *spm, const char *text, size_t bytes)
{
    out->count = 0;
    try {
        sentencepiece::ImmutableSentencePieceText result;
        const auto status = spm->processor.Encode({text, bytes}, result.mutable_proto());
        if (!status.ok()) return KS_EFORMAT;
        const size_t n = result.pieces_size();
        for (size_t i = 0; i < n && i < static_cast<size_t>(out->room); i++) {
            const auto piece = result.pieces(static_cast<int>(i));
            out->ids[i] = static_cast<int32_t>(piece.id());
            out->begin[i] = piece.begin();
        }
        out->count = static_cast<int>(n);
        return 0;
    } catch (const std::bad_alloc &) {
        return KS_ENOMEM;
    } catch (...) {
        return KS_EFORMAT;
    }
}
