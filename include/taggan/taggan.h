/** \file taggan/taggan.h
 *  All of libtaggan's public headers.
 */
#ifndef TAGGAN_TAGGAN_H
#define TAGGAN_TAGGAN_H

#include <taggan/annotate.h>
#include <taggan/dataset.h>
#include <taggan/device.h>
#include <taggan/eval.h>
#include <taggan/image.h>
#include <taggan/op.h>
#include <taggan/programs.h>
#include <taggan/status.h>
#include <taggan/tag.h>
#include <taggan/tagger.h>
#include <taggan/tensor.h>

#endif
