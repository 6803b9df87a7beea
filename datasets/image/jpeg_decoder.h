// JPEG by libjpeg-turbo, through libjpeg's own interface: exact integer DCT, fancy upsampling; baseline, progressive or
// arithmetic, every sampling that libjpeg decodes. Grey is repeated; CMYK and YCCK are taken as Adobe stores them
// (inverted) and turned into RGB by Pillow's arithmetic.
//
// What Pillow 12 reads is read, with its pixels, and what it refuses when it decodes is refused:
//   - libjpeg's warnings decide nothing: damaged data come out as libjpeg mends them;
//   - libjpeg's errors refuse the file, also those behind the last line, up to the end of the block of 64 KiB in which
//     the last line ended: Pillow hands libjpeg the file in such blocks and looks at no further one. So a file without
//     an end mark, or with a telephone's trailer, is read, and half a photograph with another one behind it is not;
//   - a file that ends before its last line is refused.
// Beyond Pillow: arithmetic coding is also read where it takes more than one block. Less than Pillow: more than 500 scans
// are refused, since hundreds of scans over one picture are an attack; lossless JPEG wants libjpeg-turbo 3. Where the last
// scans of a progressive file are missing before its end mark, libjpeg smooths its blocks, and versions of it differ.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/image/decode.h"

namespace auxbench {

// For decode_part, whose contract this is. In a file of one scan rows outside the box are not computed: those above it
// are only parsed; those below it not even that, where it can be seen that nothing behind them is an error.
PhotoPart decode_jpeg(std::string_view bytes, const std::string& place, const ChooseBox& choose, int64_t limit);

// A function of the library that decodes, for whoever asks which library that is.
const void* jpeg_library();

}  // namespace auxbench
