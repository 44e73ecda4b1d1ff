namespace OmniFusion.Tensors;

/// <summary>Consecutive query rows that see the same run of the cache, up to a few rows at its end.</summary>
internal struct CachedGroup
{
    /// <summary>First query row.</summary>
    internal int First;

    /// <summary>Number of query rows.</summary>
    internal int Count;

    /// <summary>First cache row of the run.</summary>
    internal int Start;

    /// <summary>Cache rows that all of the query rows see.</summary>
    internal int Common;
}

/// <summary>What one query row sees.</summary>
internal struct CachedRow
{
    /// <summary>Rows in its run.</summary>
    internal int Length;

    /// <summary>Its first entry in the list of single rows.</summary>
    internal int Extra;

    /// <summary>Its entries in the list of single rows.</summary>
    internal int ExtraCount;
}

/// <summary>The arguments of an attention over a cache as the threads see them.</summary>
internal unsafe struct CachedAttentionJob
{
    // Longer differences are read by each row alone instead of being read again with the run.
    private const int MostDifference = 64;

    private const int MostQueries = 256;

    internal float* Q, Keys, Values, Y;
    internal int Heads, KvHeads, HeadDim;
    internal float Scale;
    internal CachedGroup* Groups;
    internal CachedRow* Rows;
    internal int* Extra;
    internal int GroupCount;

    internal readonly int Group => Heads / KvHeads;

    /// <summary>Groups the rows that share a run, and copies what they see to where the threads can read it.</summary>
    internal void Plan(CacheRows rows)
    {
        long extra = 0;
        for (int i = 0; i < rows.Count; i++)
            extra += rows.Extra(i).Length;
        byte* memory = AttentionScratch.ForPlan(rows.Count * (long)(sizeof(CachedGroup) + sizeof(CachedRow)) + extra * sizeof(int));
        Groups = (CachedGroup*)memory;
        Rows = (CachedRow*)(Groups + rows.Count);
        Extra = (int*)(Rows + rows.Count);

        int mostRows = Math.Max(MostQueries / Group, 1), next = 0, firstLength = 0;
        for (int i = 0; i < rows.Count; i++)
        {
            ReadOnlySpan<int> single = rows.Extra(i);
            Rows[i] = new CachedRow { Length = rows.Length(i), Extra = next, ExtraCount = single.Length };
            single.CopyTo(new Span<int>(Extra + next, single.Length));
            next += single.Length;

            CachedGroup* last = Groups + GroupCount - 1;
            if (GroupCount > 0 && last->Start == rows.Start(i) && last->Count < mostRows
                && Math.Abs(rows.Length(i) - firstLength) <= MostDifference)
            {
                last->Count++;
                last->Common = Math.Min(last->Common, rows.Length(i));
                continue;
            }
            firstLength = rows.Length(i);
            Groups[GroupCount++] = new CachedGroup { First = i, Count = 1, Start = rows.Start(i), Common = firstLength };
        }
    }
}
