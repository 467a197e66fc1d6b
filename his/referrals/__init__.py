"""Referral papers to and from other facilities (giấy chuyển cơ sở khám bệnh, chữa bệnh)."""
