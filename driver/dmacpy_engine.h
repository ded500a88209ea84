/* SPDX-License-Identifier: GPL-2.0-only */
/* The only client of dmaengine, with the quirks of drivers of engines */
#ifndef DMACPY_ENGINE_H
#define DMACPY_ENGINE_H

#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct device;
struct dma_chan;

/**
 * enum dmacpy_piece_kind - the operation of a descriptor
 * @DMACPY_PIECE_COPY: copy
 * @DMACPY_PIECE_FILL: fill; requires dmacpy_engine.fills
 * @DMACPY_PIECE_TILE: copy rows; requires dmacpy_engine.tiles
 */
enum dmacpy_piece_kind {
	DMACPY_PIECE_COPY,
	DMACPY_PIECE_FILL,
	DMACPY_PIECE_TILE,
};

/**
 * struct dmacpy_piece - the copy or fill of one descriptor
 * @dst: DMA address of the destination
 * @src: DMA address of the source; unused by a fill
 * @length: bytes, without the gaps between rows
 * @kind: the operation
 * @pattern: of a fill: four times the same byte
 * @rows: of a tile: number of rows
 * @row: of a tile: bytes of a row
 * @dst_stride: of a tile: bytes from row to row of the destination
 * @src_stride: of a tile: bytes from row to row of the source
 */
struct dmacpy_piece {
	dma_addr_t dst;
	dma_addr_t src;
	size_t length;
	enum dmacpy_piece_kind kind;
	u32 pattern;
	u16 rows;
	u16 row;
	u16 dst_stride;
	u16 src_stride;
};

/* Alignment of addresses and lengths of fills: not all drivers check it. */
#define DMACPY_FILL_ALIGN	8
/*
 * Maximum rows and strides of a tile, which not all drivers check either:
 * at_xdmac has 12 bits for rows, edma 16 bits with a sign for strides.
 */
#define DMACPY_TILE_ROWS	4096U
#define DMACPY_TILE_STRIDE	(SZ_32K - 1)
/*
 * Maximum width of an access: engines choose the width by the alignment of
 * addresses and rows; at_xdmac does not check the alignment of strides.
 */
#define DMACPY_TILE_WIDTH	8

/*
 * Returns true if the strides are aligned for the widest access that the first
 * row allows.
 */
static inline bool dmacpy_tile_is_aligned(const struct dmacpy_piece *tile)
{
	unsigned long bits = lower_32_bits(tile->dst | tile->src) | tile->row |
			     DMACPY_TILE_WIDTH;

	return IS_ALIGNED(tile->dst_stride | tile->src_stride,
			  1U << __ffs(bits));
}

/**
 * struct dmacpy_client - the owner of descriptors
 * @called_back: the engine has completed a descriptor, with an error if @failed
 *	is set. Called in any context, possibly with locks of the engine's
 *	driver held: it must not call any function of this file.
 */
struct dmacpy_client {
	void (*called_back)(struct dmacpy_client *client, bool failed);
};

/**
 * enum dmacpy_quirk - quirks of the driver of an engine
 * @DMACPY_QUIRK_SLEEPS: submitting a descriptor sleeps, or enables interrupts
 * @DMACPY_QUIRK_NO_RESIDUE: the residue of a completed descriptor means nothing
 * @DMACPY_QUIRK_ONE: only one descriptor at a time works
 * @DMACPY_QUIRK_REISSUE: submitted descriptors may have to be issued again each
 *	time that a descriptor has completed
 * @DMACPY_QUIRK_WARN_ISSUE: warns about an issue without new descriptors
 * @DMACPY_QUIRK_UNSTOPPABLE: must not be terminated or released while it has
 *	descriptors that have not called back; also set for a driver that does
 *	not terminate
 * @DMACPY_QUIRK_QUIESCES: once a later copy on the channel has arrived, the
 *	engine writes nothing for descriptors terminated before. Other engines
 *	may run the channel on another piece of hardware after each request.
 * @DMACPY_QUIRK_EXCLUSIVE: a descriptor must not be submitted, on any channel
 *	of the engine, while another one may complete
 * @DMACPY_QUIRK_NO_TILES: calls back for a tile before the tile is complete
 * @DMACPY_QUIRK_NO_BH: takes a lock of its tasklet when it is terminated, but
 *	does not disable bottom halves
 */
enum dmacpy_quirk {
	DMACPY_QUIRK_SLEEPS = 1 << 0,
	DMACPY_QUIRK_NO_RESIDUE = 1 << 1,
	DMACPY_QUIRK_ONE = 1 << 2,
	DMACPY_QUIRK_REISSUE = 1 << 3,
	DMACPY_QUIRK_WARN_ISSUE = 1 << 4,
	DMACPY_QUIRK_UNSTOPPABLE = 1 << 5,
	DMACPY_QUIRK_QUIESCES = 1 << 6,
	DMACPY_QUIRK_EXCLUSIVE = 1 << 7,
	DMACPY_QUIRK_NO_TILES = 1 << 8,
	DMACPY_QUIRK_NO_BH = 1 << 9,
};

/**
 * struct dmacpy_engine - a channel of a DMA engine, as its client uses it
 * @parent: the platform device that it was requested for
 * @name: its name among those of @parent, NULL if it was found by capability
 * @dma: the channel; the same one when it is requested again
 * @dma_name: dmaengine's name for it
 * @dev: the device to map memory for
 * @align: addresses and lengths must be multiples of this
 * @id: its number on the engine, which outlives @dma
 * @requested: @dma belongs to this client
 * @quirks: enum dmacpy_quirk
 * @depth: maximum number of descriptors in flight, 1 if they may overtake each
 *	other
 * @fills: the engine can fill memory with a byte; cleared if a test fails
 * @tiles: the engine can copy rows with gaps between them; cleared likewise
 */
struct dmacpy_engine {
	struct device *parent;
	const char *name;
	struct dma_chan *dma;
	const char *dma_name;
	struct device *dev;
	unsigned int align;
	int id;
	bool requested;
	unsigned int quirks;
	unsigned int depth;
	bool fills;
	bool tiles;
};

int dmacpy_engine_open(struct dmacpy_engine *engine);
int dmacpy_engine_request(struct dmacpy_engine *engine);
bool dmacpy_engine_release(struct dmacpy_engine *engine);
int dmacpy_engine_submit(const struct dmacpy_engine *engine,
			 const struct dmacpy_piece *piece,
			 struct dmacpy_client *client);
void dmacpy_engine_issue(const struct dmacpy_engine *engine);
bool dmacpy_engine_terminate(const struct dmacpy_engine *engine);

#endif /* DMACPY_ENGINE_H */
