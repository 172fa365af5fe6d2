// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * /dev/caesura: the device by which one process, caesurad, gets access to
 * firmware's memory and serves the kernel's EFI variables.
 */
#define pr_fmt(format) KBUILD_MODNAME ": " format

#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "caesura-efivars.h"

static struct miscdevice device;

static int device_open(struct inode *inode, struct file *file)
{
	int error = requests_open();

	return error ? error : stream_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	requests_release();
	return 0;
}

static ssize_t device_read(struct file *file, char __user *to, size_t size,
			   loff_t *offset)
{
	return requests_read(to, size, file->f_flags & O_NONBLOCK);
}

static ssize_t device_write(struct file *file, const char __user *from,
			    size_t size, loff_t *offset)
{
	return requests_write(from, size);
}

static long copy_info(void __user *to)
{
	struct caesura_info info = {
		.version = CAESURA_UAPI_VERSION,
		.memory_map = efi.memmap.phys_map,
		.memory_map_bytes = memory_map_bytes(),
		.descriptor_bytes = efi.memmap.desc_size,
		.descriptor_version = efi.memmap.desc_version,
		.runtime_version = efi.runtime_version,
		.timeout_s = requests_timeout_s(),
	};

	if (efi_enabled(EFI_RUNTIME_SERVICES)) {
		info.flags |= CAESURA_INFO_KERNEL_RUNTIME;
	}
	if (provider_registered()) {
		info.flags |= CAESURA_INFO_REGISTERED;
	}
	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long read_memory(unsigned int command, const void __user *from)
{
	struct caesura_read read;

	if (copy_from_user(&read, from, sizeof(read))) {
		return -EFAULT;
	}
	return command == CAESURA_IOC_MAP ? memory_copy_map(&read)
					  : memory_copy(&read);
}

static long attach(const void __user *from)
{
	struct caesura_register arguments;
	int error;

	if (copy_from_user(&arguments, from, sizeof(arguments))) {
		return -EFAULT;
	}
	if (arguments.version != CAESURA_UAPI_VERSION) {
		return -EPROTO;
	}
	error = provider_register(arguments.supported,
				  &device.this_device->kobj);
	if (!error) {
		requests_attach();
	}
	return error;
}

static long device_ioctl(struct file *file, unsigned int command,
			 unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (command) {
	case CAESURA_IOC_INFO:
		return copy_info(user);
	case CAESURA_IOC_MAP:
	case CAESURA_IOC_READ:
		return read_memory(command, user);
	case CAESURA_IOC_REGISTER:
		return attach(user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.read = device_read,
	.write = device_write,
	.poll = requests_poll,
	.mmap = memory_mmap,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "caesura",
	.fops = &operations,
	.mode = 0600,
};

static int __init caesura_init(void)
{
	if (!memory_present()) {
		pr_err("this kernel was not started by EFI\n");
		return -ENODEV;
	}
	return misc_register(&device);
}

static void __exit caesura_exit(void)
{
	misc_deregister(&device);
}

module_init(caesura_init);
module_exit(caesura_exit);

MODULE_DESCRIPTION("EFI variables served by caesurad");
MODULE_AUTHOR("The Caesura authors");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION("0.1.0");
