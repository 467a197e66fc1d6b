"""Routes of the examination: work list, the doctor's page, measurements."""

from his.examination.views import visit, vitals, worklist
from his.examination.views.base import bp

__all__ = ["bp", "visit", "vitals", "worklist"]
