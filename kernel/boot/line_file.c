/* SPDX-License-Identifier: MIT */
/*
 * Reads the command line from a file, for firmware that passes no LoadOptions.
 * The file is caesura.txt in the image's own directory, on the simple file
 * system of the device that the image was loaded from (UEFI 2.11, chapters 10
 * and 13).
 */
#include "boot.h"
#include <kernel/string.h>

#define MAX_PATH 256 /* characters of the file's path */
#define MAX_NODES 32 /* nodes of the image's device path */

/* A device path's node: type, subtype, length in two bytes. */
#define NODE_BYTES 4
#define NODE_END 0x7f
#define NODE_MEDIA 4
#define MEDIA_FILE_PATH 4

static uint32_t node_length(const uint8_t *node)
{
	return (uint32_t)node[2] | (uint32_t)node[3] << 8;
}

/* Returns the last file path node of a device path, or NULL. */
static const uint8_t *find_file_path(const uint8_t *node)
{
	const uint8_t *found = NULL;

	for (unsigned i = 0; node != NULL && i < MAX_NODES; i++) {
		if (node[0] == NODE_END || node_length(node) < NODE_BYTES) {
			break;
		}
		if (node[0] == NODE_MEDIA && node[1] == MEDIA_FILE_PATH) {
			found = node;
		}
		node += node_length(node);
	}
	return found;
}

/* Copies the directory part of the image's path, including the last separator.
 * Returns its length, at most MAX_PATH. */
static size_t copy_directory(const uint8_t *node, uint16_t *path)
{
	size_t count = node != NULL ? (node_length(node) - NODE_BYTES) / 2 : 0;
	size_t directory = 1;

	path[0] = '\\';
	for (size_t i = 0; i < count && i < MAX_PATH; i++) {
		const uint8_t *at = node + NODE_BYTES + 2 * i;

		path[i] = (uint16_t)(at[0] | at[1] << 8);
		if (path[i] == 0) {
			break;
		}
		if (path[i] == '/' || path[i] == '\\') {
			path[i] = '\\';
			directory = i + 1;
		}
	}
	return directory;
}

static struct efi_file *open_file(const struct boot_context *context,
				  const struct efi_loaded_image *image)
{
	static const struct cz_efi_guid guid = EFI_SIMPLE_FILE_SYSTEM_GUID;
	static const uint16_t name[] = u"caesura.txt";
	struct efi_simple_file_system *volume = NULL;
	struct efi_file *root = NULL, *file = NULL;
	uint16_t path[MAX_PATH + sizeof(name) / 2];
	size_t length;

	if (image->device_handle == NULL ||
	    context->services->handle_protocol(image->device_handle, &guid,
					       &volume) != CZ_EFI_SUCCESS ||
	    volume->open_volume(volume, &root) != CZ_EFI_SUCCESS) {
		return NULL;
	}
	length = copy_directory(find_file_path(image->file_path), path);
	memcpy(path + length, name, sizeof(name));
	if (root->open(root, &file, path, EFI_FILE_MODE_READ, 0) !=
	    CZ_EFI_SUCCESS) {
		file = NULL;
	}
	root->close(root);
	return file;
}

uint64_t boot_read_line_file(const struct boot_context *context,
			     const struct efi_loaded_image *image,
			     uint8_t *bytes, uint64_t room)
{
	struct efi_file *file = open_file(context, image);

	if (file == NULL) {
		return 0;
	}
	if (file->read(file, &room, bytes) != CZ_EFI_SUCCESS) {
		boot_note("caesura.txt cannot be read");
		room = 0;
	}
	file->close(file);
	return room;
}
